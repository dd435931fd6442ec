# SPDX-License-Identifier: Apache-2.0
"""Files and folders that appear under their name once they are complete."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` to write to; renamed to `path` when the block ends, removed if it raises.

    The file is on the disk (fsync) before it is renamed, so that a crash leaves either the old file or the new one.
    Errors of the block and of the operating system pass through.
    """
    partial = unfinished(path)
    try:
        yield partial
        _settle(partial)
        os.replace(partial, path)
    finally:
        with suppress(OSError):
            partial.unlink()


def write_new_file(path: Path, data: bytes, is_settled: bool = False) -> None:
    """Write one of many files of a folder whole or not at all; OSError if it cannot be written.

    Where the file system can do that, the file has no name before it is whole, so that not even a killed process leaves
    a part of it. is_settled: wait until it is on the disk.
    """
    file = _unnamed(path.parent)
    if file is not None:
        with open(file, "wb") as content:
            content.write(data)
            content.flush()
            if is_settled:
                os.fsync(file)
            # Python follows the link to the file only if it is given a folder's number, which goes unused.
            with suppress(OSError):  # there is a file already, or no /proc
                os.link(f"/proc/self/fd/{file}", path, src_dir_fd=file)
                return
    partial = unfinished(path)
    try:
        partial.write_bytes(data)
        if is_settled:
            _settle(partial)
        os.replace(partial, path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def _unnamed(folder: Path) -> int | None:
    """The number of a new file without a name, None where the system has none."""
    try:
        return os.open(folder, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o666)
    except AttributeError:  # not Linux
        return None
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOSYS):
            return None
        raise


def _settle(path: Path) -> None:
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def unfinished(path: Path) -> Path:
    """The name of what this process has not finished of `path`: hidden, beside it, with the process's number."""
    return path.with_name(f".{path.name}.{os.getpid()}")


def remove_leftovers(path: Path) -> None:
    """Remove what earlier processes, such as killed ones, left unfinished of `path`."""
    name = re.compile(re.escape(f".{path.name}.") + r"(\d{1,9})")
    with suppress(OSError):
        for entry in path.parent.iterdir():
            found = name.fullmatch(entry.name)
            if found is None or _is_running(int(found[1])):
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink()


def _is_running(number: int) -> bool:
    if number == os.getpid():  # an earlier process had the same number, as in containers
        return False
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True
