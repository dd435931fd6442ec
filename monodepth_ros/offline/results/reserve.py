# SPDX-License-Identifier: Apache-2.0
"""Space on the results' disk that is kept for the report, so that a run on a full disk still says what it has."""

import os
from contextlib import suppress
from pathlib import Path

from monodepth_ros.atomic_file import unfinished

SIZES = (2 << 20, 1 << 19)  # bytes of a report with its pictures, and of the tables alone


class Reserve:
    """A hidden file of one of SIZES in a folder, or none where there is no room; `release` gives its space back."""

    def __init__(self, folder: Path):
        self._path = unfinished(folder / "report.html")
        for size in SIZES:
            try:
                with open(self._path, "wb") as file:
                    os.posix_fallocate(file.fileno(), 0, size)
            except OSError:
                self.release()
            else:
                return

    def release(self) -> None:
        """Free the space."""
        with suppress(OSError):
            self._path.unlink()
