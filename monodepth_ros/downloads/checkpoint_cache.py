# SPDX-License-Identifier: Apache-2.0
"""Downloaded checkpoints: their folders in the user's cache, and the look-up by name."""

from pathlib import Path, PurePosixPath

from monodepth_ros.cache_folder import cache_folder
from monodepth_ros.downloads.catalogue import NAME, CatalogueError, read_catalogue
from monodepth_ros.errors import MonodepthError
from monodepth_ros.input_file import read_text
from monodepth_ros.limits import LARGEST_SETTINGS_FILE
from monodepth_ros.structured_text import parse_json

RECORD = "source.json"
"""File in a checkpoint's folder with its origin and the path to load. A folder without it is incomplete."""


def checkpoints_folder() -> Path:
    """The folder that has a sub-folder for each downloaded checkpoint. It need not exist."""
    return cache_folder() / "checkpoints"


def downloaded_checkpoint(name: str) -> Path | None:
    """The file or folder of weights to load for a downloaded checkpoint; None if it has not been downloaded, or its
    record is damaged or names anything outside its folder."""
    folder = checkpoints_folder() / name
    try:
        record = parse_json(read_text(folder / RECORD, LARGEST_SETTINGS_FILE, exact=True), RECORD)
        place = record["load"]
        if not is_inside(place):
            return None
        path = folder / place
        # A link in the folder may lead out of it; the folder itself may be a link to a larger disk.
        return path if path.resolve(strict=True).is_relative_to(folder.resolve(strict=True)) else None
    except (MonodepthError, OSError, ValueError, LookupError, TypeError, RuntimeError):
        return None


def is_inside(place: object) -> bool:
    """Whether a text is a relative path that stays in its folder, on any operating system."""
    if not isinstance(place, str) or not place or not place.isprintable():
        return False
    return not PurePosixPath(place).is_absolute() and ".." not in place.split("/") and not set(place) & set("\\:")


def resolve_name(name: str) -> Path | None:
    """The downloaded checkpoint of this name; None if no checkpoint has the name.

    Raises CatalogueError, with the command to run, if the catalogue has the name but nothing has been downloaded.
    """
    if not NAME.fullmatch(name):
        return None
    path = downloaded_checkpoint(name)
    if path is None and name in read_catalogue():
        raise CatalogueError(
            f"checkpoint {name} is in the catalogue but not on this machine: run monodepth download {name}"
        )
    return path
