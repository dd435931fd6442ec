# SPDX-License-Identifier: Apache-2.0
"""The part of a download that has arrived, in a file of its own until it is complete."""

import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from monodepth_ros.atomic_file import atomic_file
from monodepth_ros.downloads.errors import DownloadError
from monodepth_ros.errors import MonodepthError
from monodepth_ros.input_file import read_text

LONGEST_VALIDATOR = 500


class Version(NamedTuple):
    """Which file of the server a part belongs to. validator: its strong ETag or time, '' if there is none; total: its
    bytes, 0 if unknown."""

    validator: str = ""
    total: int = 0


class PartFile:
    """The file `path`.part, open for one process at a time, with the version of the server's file in `path`.part.tag.

    As a context manager. Raises DownloadError if another process has it or it is no ordinary file, else OSError.
    """

    def __init__(self, path: Path):
        self.path = path.with_name(path.name + ".part")
        self._tag = path.with_name(path.name + ".part.tag")
        self._file = -1

    def __enter__(self) -> "PartFile":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            if self.path.is_symlink() or (self.path.exists() and not self.path.is_file()):
                raise DownloadError(f"{self.path} is no ordinary file but a link, folder or pipe: remove it")
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            self._file = os.open(self.path, flags, 0o644)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.close()
                raise DownloadError(
                    f"{self.path}: another process downloads it; wait until it has ended, then run the same command"
                ) from None
            except OSError:  # a file system without locks
                pass
            opened = os.fstat(self._file)
            with suppress(OSError):
                if stat.S_ISREG(opened.st_mode) and os.path.samestat(opened, os.stat(self.path)):
                    return self
            self.close()  # another process has just completed and renamed it

    def __exit__(self, *error: object) -> None:
        self.close()
        with suppress(OSError):
            if self.path.stat().st_size == 0:
                self.path.unlink()
        if not self.path.exists():
            with suppress(OSError):
                self._tag.unlink()

    def close(self) -> None:
        """Close the file, which ends its lock."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    @property
    def size(self) -> int:
        """The bytes so far."""
        return os.fstat(self._file).st_size

    def restart(self) -> None:
        """Drop what has arrived."""
        os.ftruncate(self._file, 0)
        self.write_version(Version())

    def write(self, data: bytes) -> None:
        """Append to the file."""
        rest = memoryview(data)
        os.lseek(self._file, 0, os.SEEK_END)
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def finish(self, path: Path) -> None:
        """Give the complete file its name."""
        os.fsync(self._file)
        os.replace(self.path, path)

    def remove(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)

    def version(self) -> Version:
        """The version that the bytes so far belong to; an empty one if that is not known."""
        if self.size == 0 or self._tag.is_symlink():
            return Version()
        try:
            validator, _, total = read_text(self._tag, largest=2 * LONGEST_VALIDATOR).partition("\n")
        except MonodepthError:
            return Version()
        return Version(strong(validator), int(total) if total.isascii() and total.isdigit() else 0)

    def write_version(self, version: Version) -> None:
        """Note which version the bytes to come belong to."""
        with atomic_file(self._tag) as partial:
            partial.write_text(f"{version.validator}\n{version.total}", encoding="utf-8")


def strong(validator: str) -> str:
    """A tag or a time that identifies a file's exact content and can be sent back; '' for any other text."""
    fits = len(validator) <= LONGEST_VALIDATOR and validator.isascii() and validator.isprintable()
    return validator if fits and not validator.startswith("W/") else ""
