# SPDX-License-Identifier: Apache-2.0
"""Files at the paths that a user asked for: written whole or not at all, and one line where they cannot be."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from monodepth_ros.atomic_file import atomic_file, remove_leftovers, write_new_file
from monodepth_ros.errors import MonodepthError, one_line


@contextmanager
def one_line_for(path: str | Path) -> Iterator[None]:
    """Turn the operating system's errors in the block into one MonodepthError that names `path`."""
    try:
        yield
    except OSError as error:
        raise MonodepthError(f"{path} cannot be written: {one_line(error)}") from None


def write_file(path: str | Path, data: bytes | str) -> None:
    """Write a file completely, or leave what was there; folders on the way are made, a link stays one.

    Letters that UTF-8 does not have (names in another encoding) are written as escapes. Raises MonodepthError if the
    file cannot be written.
    """
    path = Path(path)
    content = data.encode("utf-8", "backslashreplace") if isinstance(data, str) else data
    with one_line_for(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            _write_through(path, content)  # a device such as /dev/stdout must stay what it is
            return
        real = Path(os.path.realpath(path))
        remove_leftovers(real)
        with atomic_file(real) as partial:
            partial.write_bytes(content)


def _write_through(path: Path, content: bytes) -> None:
    """Write into a device, or into a pipe that has a reader: without one, opening it would wait for ever."""
    is_pipe = path.is_fifo()
    try:
        descriptor = os.open(path, os.O_WRONLY | (os.O_NONBLOCK if is_pipe else os.O_TRUNC))
    except OSError as error:
        if is_pipe and error.errno == errno.ENXIO:
            raise MonodepthError(f"{path} cannot be written: it is a pipe that nobody reads") from None
        raise
    os.set_blocking(descriptor, True)
    with open(descriptor, "wb") as file:
        file.write(content)


class Attempts:
    """Results that are written one after the other: one that cannot be written costs no other.

    Called with what writes one; returns whether it could. error: the first that could not be written, None without.
    """

    def __init__(self) -> None:
        self.error: MonodepthError | None = None

    def __call__(self, write: Callable[[], object]) -> bool:
        """Write one result."""
        try:
            write()
        except MonodepthError as error:
            self.error = self.error or error
            return False
        return True

    def end(self) -> None:
        """Raise the first error."""
        if self.error is not None:
            raise self.error


def write_frame_file(path: Path, data: bytes) -> None:
    """Write one of many files of a folder whole or not at all, without waiting for the disk.

    Raises MonodepthError if it cannot be written.
    """
    with one_line_for(path):
        write_new_file(path, data)


def check_writable(path: str | Path) -> None:
    """Raise MonodepthError if a file or folder cannot be made at `path`: a folder on the way is none, or read-only."""
    with one_line_for(path):
        above = Path(path).absolute().parent
        while not above.exists():
            above = above.parent
        if not above.is_dir():
            raise MonodepthError(f"{path} cannot be written: {above} is no folder")
        if not os.access(above, os.W_OK | os.X_OK):
            raise MonodepthError(f"{path} cannot be written: {above} is read-only")
