# SPDX-License-Identifier: Apache-2.0
"""Downloaded checkpoints: their folders in the user's cache, and the look-up by name."""

import json
from pathlib import Path

from monodepth_ros.cache_folder import cache_folder
from monodepth_ros.downloads.catalogue import NAME, CatalogueError, read_catalogue

RECORD = "source.json"
"""File in a checkpoint's folder with its origin and the path to load. A folder without it is incomplete."""


def checkpoints_folder() -> Path:
    """The folder that has a sub-folder for each downloaded checkpoint. It need not exist."""
    return cache_folder() / "checkpoints"


def downloaded_checkpoint(name: str) -> Path | None:
    """The file or folder of weights to load for a downloaded checkpoint; None if it has not been downloaded."""
    folder = checkpoints_folder() / name
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        path = folder / record["load"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return path if path.exists() else None


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
