# SPDX-License-Identifier: Apache-2.0
"""The catalogue of checkpoints that can be downloaded: the package's entries and the user's."""

import os
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from monodepth_ros.cache_folder import home_folder
from monodepth_ros.downloads.connection import address_problem
from monodepth_ros.downloads.content import FILE_TYPES
from monodepth_ros.errors import MonodepthError
from monodepth_ros.foreign_text import shown
from monodepth_ros.input_file import read_text
from monodepth_ros.limits import LARGEST_DOWNLOAD, LARGEST_SETTINGS_FILE
from monodepth_ros.structured_text import StructuredTextError, parse_yaml

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
HASHES = {"md5": 32, "sha256": 64}
TEXTS = ("licence", "licence_url", "description")
KEYS = {"url", "md5", "sha256", "bytes", "megabytes", *TEXTS}


class CatalogueError(MonodepthError):
    """A name that is not in the catalogue, or a malformed catalogue file."""


@dataclass(frozen=True)
class CatalogueEntry:
    """One checkpoint that can be downloaded. hash_name and digest are empty if no hash is published.

    size: exact size [bytes], 0 if unknown. megabytes: approximate size, 0 if unknown.
    """

    name: str
    url: str
    hash_name: str = ""
    digest: str = ""
    size: int = 0
    megabytes: float = 0.0
    licence: str = ""
    licence_url: str = ""
    description: str = ""

    @property
    def suffix(self) -> str:
        """One of FILE_TYPES: the ending of the file at the URL."""
        return Path(urlsplit(self.url).path).suffix.lower()

    @property
    def size_text(self) -> str:
        """The size in words."""
        if self.size:
            return f"{self.size / 1e6:.1f} MB"
        return f"about {self.megabytes:.0f} MB" if self.megabytes else "size not stated"


def user_catalogue() -> Path:
    """The user's own catalogue file; it need not exist."""
    base = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    return (base if base.is_absolute() else home_folder() / ".config") / "monodepth_ros" / "catalogue.yaml"


def read_catalogue() -> dict[str, CatalogueEntry]:
    """All entries by name; the user's replace those of the package. CatalogueError for a malformed file."""
    text = resources.files("monodepth_ros.downloads").joinpath("catalogue.yaml").read_text(encoding="utf-8")
    entries = parse_catalogue(text, "the package's catalogue")
    path = user_catalogue()
    if not os.path.lexists(path):
        return entries
    try:
        own = read_text(path, LARGEST_SETTINGS_FILE, exact=True)
    except MonodepthError as error:
        raise CatalogueError(f"{error}: repair or remove it") from None
    return entries | parse_catalogue(own, str(path))


def parse_catalogue(text: str, source: str) -> dict[str, CatalogueEntry]:
    """Entries by name from the text of a catalogue file; CatalogueError, in which `source` names the file."""
    try:
        document = parse_yaml(text, source)
    except StructuredTextError as error:
        raise CatalogueError(str(error)) from None
    if not isinstance(document, dict) or not isinstance(document.get("checkpoints"), dict):
        raise CatalogueError(f"{source} has no 'checkpoints:' with an entry for each name")
    if unknown := [key for key in document if key not in ("checkpoints", "groups")]:
        raise CatalogueError(f"{source}: unknown key {shown(unknown[0])!r}, expected checkpoints and groups")
    groups = document.get("groups") or {}
    if not isinstance(groups, dict):
        raise CatalogueError(f"{source}: groups is {shown(repr(groups), 60)}, expected groups by name")
    return {
        str(name): _entry(str(name), facts, groups, f"{source}, {shown(name, 100)}")
        for name, facts in document["checkpoints"].items()
    }


def _entry(name: str, facts: object, groups: dict, source: str) -> CatalogueEntry:
    if not NAME.fullmatch(name):
        raise CatalogueError(f"{source}: a name may have letters, digits and . _ + - only, and 100 of them")
    facts = _with_group(facts, groups, source)
    if unknown := sorted(str(key) for key in facts.keys() - KEYS):
        raise CatalogueError(f"{source}: unknown key {shown(unknown[0])!r}, expected {', '.join(sorted(KEYS))}")
    for key in ("url", *HASHES, *TEXTS):
        value = facts.get(key, "")
        if not isinstance(value, str):
            what = f"{HASHES[key]} hexadecimal digits in quotes" if key in HASHES else "a text (in quotes)"
            raise CatalogueError(f"{source}: {key} is {shown(repr(value), 60)}, expected {what}")
    for key in ("bytes", "megabytes"):
        value, largest = facts.get(key, 0), LARGEST_DOWNLOAD / (1e6 if key == "megabytes" else 1)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not 0 <= value <= largest:
            raise CatalogueError(f"{source}: {key} is {_number_text(value)}, expected a number up to {largest:.0f}")
    hash_name, digest = _hash_of(facts, source)
    return CatalogueEntry(
        name=name,
        url=_url_of(name, facts, source),
        hash_name=hash_name,
        digest=digest,
        size=int(facts.get("bytes", 0)),
        megabytes=float(facts.get("megabytes", 0)),
        **{key: shown(facts.get(key, "")) for key in TEXTS},
    )


def _with_group(facts: object, groups: dict, source: str) -> dict[str, Any]:
    """The facts of an entry, together with those of its group."""
    if not isinstance(facts, dict):
        raise CatalogueError(f"{source}: is {shown(repr(facts), 60)}, expected url, md5 or sha256, licence")
    group = facts.get("group")
    if group is None:
        shared = {}
    elif isinstance(group, str) and isinstance(groups.get(group), dict):
        shared = groups[group]
    else:
        raise CatalogueError(f"{source}: there is no group {shown(group)!r}")
    return {key: value for key, value in {**shared, **facts}.items() if key != "group"}


def _url_of(name: str, facts: dict[str, Any], source: str) -> str:
    if not facts.get("url"):
        raise CatalogueError(f"{source}: url is missing")
    url = facts["url"].replace("{name}", quote(name))
    kinds = ", ".join(FILE_TYPES)
    if problem := address_problem(url):
        raise CatalogueError(f"{source}: url {shown(url)!r} {problem}; expected http(s) and one of {kinds}")
    if not urlsplit(url).path.lower().endswith(FILE_TYPES):
        raise CatalogueError(f"{source}: url is {shown(url)!r}, expected http(s) and one of {kinds}")
    return url


def _hash_of(facts: dict[str, Any], source: str) -> tuple[str, str]:
    """Name and digits of the entry's hash, two empty texts if it has none."""
    name = next((kind for kind in ("sha256", "md5") if facts.get(kind)), "")
    digest = facts[name].lower() if name else ""
    if name and not re.fullmatch(f"[0-9a-f]{{{HASHES[name]}}}", digest):
        raise CatalogueError(
            f"{source}: {name} is {shown(digest, 80)!r}, expected {HASHES[name]} hexadecimal digits in quotes"
        )
    return name, digest


def _number_text(value: object) -> str:
    try:
        return shown(repr(value), 60)
    except ValueError:  # Python writes no more than 4300 digits
        return "a number of thousands of digits"
