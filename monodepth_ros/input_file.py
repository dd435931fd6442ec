# SPDX-License-Identifier: Apache-2.0
"""Files that a user named, judged before they are opened: an ordinary file, not larger than its kind can be."""

import os
import stat
from pathlib import Path

from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.limits import LARGEST_TEXT_FILE

# Where the shell puts the pipe of <(command), and that of command | monodepth ... /dev/stdin.
_GIVEN = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
# File systems of the kernel: their files claim to be ordinary, but some wait for ever or have no end.
_KERNEL = ("/proc/", "/sys/")


def ordinary_file(path: str | Path, largest: int | None = None) -> Path:
    """The path of a file that can be read to its end; MonodepthError for everything else.

    Pipes, sockets, devices and what the kernel makes are refused: opening or reading them may wait for ever. largest:
    of its size [bytes].
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
    if _is_of_the_kernel(path):
        raise MonodepthError(f"{path} is no ordinary file but one that the kernel makes; copy it into a file first")
    if largest is not None and found.st_size > largest:
        raise MonodepthError(
            f"{path} has {found.st_size / 1e6:.0f} MB, more than the {largest / 1e6:.0f} MB that such a file can have"
        )
    return path


def is_ordinary_file(path: str | Path) -> bool:
    """Whether a file is there that can be read to its end, as in `ordinary_file`."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode) and not _is_of_the_kernel(path)
    except (OSError, ValueError):
        return False


def _is_of_the_kernel(path: str | Path) -> bool:
    return os.path.realpath(path).startswith(_KERNEL)


def read_text(path: str | Path, largest: int = LARGEST_TEXT_FILE, exact: bool = False) -> str:
    """The text of an ordinary file, or of a shell's <(...) and standard input, which are pipes that end.

    exact: refuse bytes that are no UTF-8, which otherwise become U+FFFD. Raises MonodepthError.
    """
    try:
        data = _read_pipe(path, largest) if _is_given_pipe(path) else ordinary_file(path, largest).read_bytes()
        return data.decode("utf-8-sig", errors="strict" if exact else "replace")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise MonodepthError(f"{path} is not text in UTF-8: byte {data[error.start]:#04x} in line {line}") from None
    except OSError as error:
        raise MonodepthError(f"{path} cannot be read: {one_line(error)}") from None


def _is_given_pipe(path: str | Path) -> bool:
    if not str(path).startswith(_GIVEN):
        return False
    try:
        return stat.S_ISFIFO(Path(path).stat().st_mode)
    except OSError:
        return False


def _read_pipe(path: str | Path, largest: int) -> bytes:
    with open(path, "rb") as file:
        data = file.read(largest + 1)
    if len(data) > largest:
        raise MonodepthError(f"{path} gives more than the {largest / 1e6:.0f} MB that such a file can have")
    return data
