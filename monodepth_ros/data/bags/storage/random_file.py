# SPDX-License-Identifier: Apache-2.0
"""A file read at any place, from several threads."""

import os
from pathlib import Path


class RandomFile:
    """A file opened for reading; it has no position, so that its readers do not disturb one another. size: [bytes]."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        self.size = os.fstat(self._descriptor).st_size

    def read(self, offset: int, length: int) -> bytes:
        """Bytes from an offset; EOFError if the file ends before."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise EOFError(f"the file ends before byte {offset + length}")
        data = os.pread(self._descriptor, length, offset)
        while len(data) < length:  # one call gives at most 2 GiB
            more = os.pread(self._descriptor, length - len(data), offset + len(data))
            if not more:
                raise EOFError(f"the file ends at byte {offset + len(data)}")
            data += more
        return data

    def close(self) -> None:
        """Release the file; may be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
