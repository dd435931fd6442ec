# SPDX-License-Identifier: Apache-2.0
"""Files at the paths that a user asked for: written whole or not at all, and one line where they cannot be."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monodepth_ros.atomic_file import atomic_file
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

    Raises MonodepthError if it cannot be written.
    """
    path = Path(path)
    content = data.encode() if isinstance(data, str) else data
    with one_line_for(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            path.write_bytes(content)  # a device such as /dev/stdout must stay what it is
            return
        with atomic_file(path.resolve()) as partial:
            partial.write_bytes(content)
