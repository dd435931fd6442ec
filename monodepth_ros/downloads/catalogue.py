# SPDX-License-Identifier: Apache-2.0
"""Checkpoints by name: the catalogue of those that can be downloaded, and where downloaded ones lie."""

import json
import os
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.parse import quote, urlsplit

import yaml

from monodepth_ros.cache_folder import cache_folder
from monodepth_ros.errors import MonodepthError, one_line

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
HASHES = {"md5": 32, "sha256": 64}
FILE_TYPES = (".zip", ".safetensors", ".pth", ".pt")
# Written last into a downloaded checkpoint's folder: where it came from, and which file in it to load.
RECORD = "source.json"


class CatalogueError(MonodepthError):
    """A name that is in no catalogue, or a catalogue file that does not hold what it should."""


@dataclass(frozen=True)
class CatalogueEntry:
    """One checkpoint that can be downloaded; hash_name and digest are empty where no hash is published.

    size: exact, in bytes, or 0. megabytes: about, or 0.
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
        """Of what the URL points to."""
        return Path(urlsplit(self.url).path).name

    @property
    def size_text(self) -> str:
        """The size for people."""
        if self.size:
            return f"{self.size / 1e6:.1f} MB"
        return f"about {self.megabytes:.0f} MB" if self.megabytes else "size not stated"


def user_catalogue() -> Path:
    """The user's own catalogue file; it need not exist."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "monodepth_ros" / "catalogue.yaml"


def checkpoints_folder() -> Path:
    """Where downloaded checkpoints lie, each in a folder of its name. It need not exist."""
    return cache_folder() / "checkpoints"


def read_catalogue() -> dict[str, CatalogueEntry]:
    """All entries by name, the user's own over the package's; CatalogueError for a file that is wrong."""
    text = resources.files("monodepth_ros.downloads").joinpath("catalogue.yaml").read_text(encoding="utf-8")
    entries = parse_catalogue(text, "the package's catalogue")
    path = user_catalogue()
    try:
        own = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return entries
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path} cannot be read ({error}): mend or remove it") from None
    return entries | parse_catalogue(own, str(path))


def parse_catalogue(text: str, source: str) -> dict[str, CatalogueEntry]:
    """Entries by name of a catalogue file's text; `source` names it in errors. Raises CatalogueError."""
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
        raise CatalogueError(f"{source}: a name holds letters, digits and . _ + - only")
    if not isinstance(facts, dict):
        raise CatalogueError(f"{source}: expected url, md5 or sha256, licence")
    group = facts.get("group")
    if group is not None and not isinstance(groups.get(group), dict):
        raise CatalogueError(f"{source}: there is no group {group!r}")
    facts = {**(groups[group] if group is not None else {}), **facts}
    facts.pop("group", None)
    known = {"url", "md5", "sha256", "bytes", "megabytes", "licence", "licence_url", "description"}
    if unknown := sorted(str(key) for key in facts.keys() - known):
        raise CatalogueError(f"{source}: unknown key {unknown[0]!r}, expected {', '.join(sorted(known))}")
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
        name,
        url,
        hash_name,
        digest,
        int(sizes["bytes"]),
        float(sizes["megabytes"]),
        *(str(facts.get(key, "")) for key in ("licence", "licence_url", "description")),
    )


def downloaded_checkpoint(name: str) -> Path | None:
    """What to load for a downloaded checkpoint, a file or a folder of weights; None if it is not there."""
    folder = checkpoints_folder() / name
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        path = folder / record["load"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return path if path.exists() else None


def resolve_name(name: str) -> Path | None:
    """The downloaded checkpoint of this name; None for what is no name in the catalogue.

    CatalogueError, with the command to run, for a name whose checkpoint has not been downloaded.
    """
    if not NAME.fullmatch(name):
        return None
    path = downloaded_checkpoint(name)
    if path is None and name in read_catalogue():
        raise CatalogueError(
            f"checkpoint {name} is in the catalogue but not on this machine: run monodepth download {name}"
        )
    return path
