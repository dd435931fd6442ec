# SPDX-License-Identifier: Apache-2.0
"""The catalogue of checkpoints that can be downloaded: the package's entries and the user's."""

import os
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.parse import quote, urlsplit

import yaml

from monodepth_ros.errors import MonodepthError, one_line

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
HASHES = {"md5": 32, "sha256": 64}
FILE_TYPES = (".zip", ".safetensors", ".pth", ".pt")
KEYS = {"url", "md5", "sha256", "bytes", "megabytes", "licence", "licence_url", "description"}


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
    def file_name(self) -> str:
        """Name of the file at the URL."""
        return Path(urlsplit(self.url).path).name

    @property
    def size_text(self) -> str:
        """The size in words."""
        if self.size:
            return f"{self.size / 1e6:.1f} MB"
        return f"about {self.megabytes:.0f} MB" if self.megabytes else "size not stated"


def user_catalogue() -> Path:
    """The user's own catalogue file; it need not exist."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "monodepth_ros" / "catalogue.yaml"


def read_catalogue() -> dict[str, CatalogueEntry]:
    """All entries by name; the user's replace those of the package. CatalogueError for a malformed file."""
    text = resources.files("monodepth_ros.downloads").joinpath("catalogue.yaml").read_text(encoding="utf-8")
    entries = parse_catalogue(text, "the package's catalogue")
    path = user_catalogue()
    try:
        own = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return entries
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path} cannot be read ({one_line(error)}): repair or remove it") from None
    return entries | parse_catalogue(own, str(path))


def parse_catalogue(text: str, source: str) -> dict[str, CatalogueEntry]:
    """Entries by name from the text of a catalogue file; CatalogueError, in which `source` names the file."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CatalogueError(f"{source} is not YAML: {one_line(error)}") from None
    if not isinstance(document, dict) or not isinstance(document.get("checkpoints"), dict):
        raise CatalogueError(f"{source} has no 'checkpoints:' with an entry for each name")
    groups = document.get("groups") or {}
    return {
        str(name): _entry(str(name), facts, groups, f"{source}, {name}")
        for name, facts in document["checkpoints"].items()
    }


def _entry(name: str, facts: object, groups: dict, source: str) -> CatalogueEntry:
    if not NAME.fullmatch(name):
        raise CatalogueError(f"{source}: a name may have letters, digits and . _ + - only")
    if not isinstance(facts, dict):
        raise CatalogueError(f"{source}: expected url, md5 or sha256, licence")
    group = facts.get("group")
    if group is not None and not isinstance(groups.get(group), dict):
        raise CatalogueError(f"{source}: there is no group {group!r}")
    facts = {**(groups[group] if group is not None else {}), **facts}
    facts.pop("group", None)
    if unknown := sorted(str(key) for key in facts.keys() - KEYS):
        raise CatalogueError(f"{source}: unknown key {unknown[0]!r}, expected {', '.join(sorted(KEYS))}")
    url = str(facts.get("url", "")).replace("{name}", quote(name))
    if urlsplit(url).scheme not in ("http", "https") or not url.lower().endswith(FILE_TYPES):
        raise CatalogueError(f"{source}: url is {url!r}, expected http(s) and one of {', '.join(FILE_TYPES)}")
    hash_name = next((kind for kind in ("sha256", "md5") if facts.get(kind)), "")
    digest = str(facts.get(hash_name, "")).lower() if hash_name else ""
    if hash_name and not re.fullmatch(f"[0-9a-f]{{{HASHES[hash_name]}}}", digest):
        raise CatalogueError(
            f"{source}: {hash_name} is {digest!r}, expected {HASHES[hash_name]} hexadecimal digits in quotes"
        )
    sizes = {key: facts.get(key, 0) for key in ("bytes", "megabytes")}
    for key, value in sizes.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e12:
            raise CatalogueError(f"{source}: {key} is {value!r}, expected a number")
    return CatalogueEntry(
        name=name,
        url=url,
        hash_name=hash_name,
        digest=digest,
        size=int(sizes["bytes"]),
        megabytes=float(sizes["megabytes"]),
        **{key: str(facts.get(key, "")) for key in ("licence", "licence_url", "description")},
    )
