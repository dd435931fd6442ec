# SPDX-License-Identifier: Apache-2.0
"""Files that a user named, judged before they are opened: an ordinary file, not larger than its kind can be."""

import stat
from pathlib import Path

from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.limits import LARGEST_TEXT_FILE


def ordinary_file(path: str | Path, largest: int | None = None) -> Path:
    """The path of a file that can be read to its end; MonodepthError for everything else.

    Pipes, sockets and devices are refused: opening them may wait for ever. largest: of its size [bytes].
    """
    path = Path(path)
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        raise MonodepthError(f"{path} cannot be read: {one_line(error)}") from None
    if stat.S_ISDIR(found.st_mode):
        raise MonodepthError(f"{path} is a folder; a file is expected")
    if not stat.S_ISREG(found.st_mode):
        raise MonodepthError(f"{path} is no ordinary file but a pipe, socket or device; copy it into a file first")
    if largest is not None and found.st_size > largest:
        raise MonodepthError(
            f"{path} has {found.st_size / 1e6:.0f} MB, more than the {largest / 1e6:.0f} MB that such a file can have"
        )
    return path


def read_text(path: str | Path, largest: int = LARGEST_TEXT_FILE) -> str:
    """The text of an ordinary file; bytes that are no UTF-8 become U+FFFD. Raises MonodepthError."""
    path = ordinary_file(path, largest)
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise MonodepthError(f"{path} cannot be read: {one_line(error)}") from None
