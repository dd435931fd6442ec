# SPDX-License-Identifier: Apache-2.0
"""A lock on a folder that ends with its process, however that ends."""

import errno
import fcntl
import os
import platform
import stat
from contextlib import suppress
from pathlib import Path

from monodepth_ros.errors import one_line
from monodepth_ros.foreign_text import shown
from monodepth_ros.training.samples.clip import TrainingError

NAME = "running.lock"
_BEGINNING = "process "
_UNSUPPORTED = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
_ATTEMPTS = 100


class FolderLock:
    """Keeps other trainings out of a folder until `release`, or until this process ends.

    The file `running.lock` names the process and its host. What counts is the lock on the open file: one that a killed
    process left is taken over. note: that the file system has no locks, '' if it has. Raises TrainingError if another
    process holds the lock, or if the file cannot be made.
    """

    def __init__(self, folder: Path):
        self._path, self.note = folder / NAME, ""
        try:
            self._file = -1
            self._file = self._locked_file(folder)
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{_BEGINNING}{os.getpid()} on {platform.node()}\n".encode(), 0)
        except OSError as error:
            self.release()
            raise TrainingError(f"{self._path} cannot be written: {one_line(error)}") from None

    def release(self) -> None:
        """Let others into the folder. Without effect the second time."""
        if self._file < 0:
            return
        with suppress(OSError):
            if _is_same(self._path, self._file):
                self._path.unlink()  # while it is locked, so that nobody has taken it over
        os.close(self._file)
        self._file = -1

    def _locked_file(self, folder: Path) -> int:
        for _ in range(_ATTEMPTS):
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
            try:
                self._check(file)
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = _text(file).removesuffix("\n") or "of unknown name"
                os.close(file)
                raise TrainingError(
                    f"another training runs in {folder} ({shown(holder)}): wait for its end, or choose another folder"
                ) from None
            except OSError as error:
                if error.errno not in _UNSUPPORTED:
                    os.close(file)
                    raise
                self.note = f"{folder}: its file system has no locks, so nothing keeps another training out of it"
                return file
            except TrainingError:
                os.close(file)
                raise
            if _is_same(self._path, file):
                return file
            os.close(file)  # whoever held it has ended and removed it meanwhile
        raise TrainingError(f"{self._path} is made and removed again and again by others: choose another folder")

    def _check(self, file: int) -> None:
        text = _text(file) if stat.S_ISREG(os.fstat(file).st_mode) else "no text"
        if text and not text.startswith(_BEGINNING):
            raise TrainingError(f"{self._path} was not made by a training: remove it, or choose another folder")


def _text(file: int) -> str:
    return os.pread(file, 200, 0).decode(errors="replace")


def _is_same(path: Path, file: int) -> bool:
    """Whether the path still leads to the open file."""
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(file))
    except FileNotFoundError:
        return False
