# SPDX-License-Identifier: Apache-2.0
"""Files and folders that appear under their name once they are complete."""

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
        with open(partial, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        with suppress(OSError):
            partial.unlink()


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
