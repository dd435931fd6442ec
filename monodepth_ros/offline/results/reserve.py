# SPDX-License-Identifier: Apache-2.0
"""Space on the results' disk that is kept for the report, so that a run on a full disk still says what it has."""

import os
from contextlib import suppress
from pathlib import Path

from monodepth_ros.atomic_file import unfinished

SIZES = (2 << 20, 1 << 19)  # bytes of a report with its pictures, and of the tables alone


class Reserve:
    """A file of one of SIZES in a folder, or none where there is no room; `release` gives its space back.

    The file has no name, so that its space returns with the end of the process as well, however that ends.
    """

    def __init__(self, folder: Path):
        self._file = -1
        name = unfinished(folder / "report.html")
        with suppress(OSError):
            self._file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            name.unlink()
        for size in SIZES:
            with suppress(OSError):
                os.posix_fallocate(self._file, 0, size)
                return
        self.release()

    def release(self) -> None:
        """Free the space."""
        if self._file >= 0:
            with suppress(OSError):
                os.close(self._file)
            self._file = -1
