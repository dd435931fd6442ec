# SPDX-License-Identifier: Apache-2.0
"""Folders for results: a new one for each run, and a link to the latest."""

import os
import time
from contextlib import suppress
from pathlib import Path

from monodepth_ros.atomic_file import unfinished
from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.output_file import check_writable


def check_results_folder(root: str | Path) -> None:
    """Raise MonodepthError if `new_results_folder` could not create one, before the work."""
    try:
        check_writable(Path(root) / "latest")
    except MonodepthError as error:
        raise MonodepthError(f"results cannot be written to {root}: {error}") from None


def new_results_folder(root: str | Path) -> Path:
    """Create <root>/<date>_<time>/ and link <root>/latest to it; MonodepthError if it cannot be created."""
    root = Path(root)
    name = time.strftime("%Y-%m-%d_%H-%M-%S")
    try:
        root.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, 1000):
            folder = root / (name if attempt == 1 else f"{name}_{attempt}")
            with suppress(FileExistsError):
                folder.mkdir()
                break
    except OSError as error:
        raise MonodepthError(f"results cannot be written to {root}: {one_line(error)}") from None
    latest = root / "latest"
    # The link is a convenience, and not every file system supports links.
    with suppress(OSError):
        if latest.is_symlink() or not latest.exists():
            link = unfinished(latest)
            link.unlink(missing_ok=True)
            link.symlink_to(folder.name, target_is_directory=True)
            os.replace(link, latest)
    return folder
