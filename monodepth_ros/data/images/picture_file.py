# SPDX-License-Identifier: Apache-2.0
"""Pictures in files, judged before they are read and decoded."""

from pathlib import Path

import numpy as np

from monodepth_ros.data.images.containers import read_container
from monodepth_ros.data.images.pixels import ImageError
from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.input_file import ordinary_file
from monodepth_ros.limits import LARGEST_PICTURE


def picture_bytes(path: str | Path, count: int = -1) -> np.ndarray:
    """The content of a picture's file, uint8 (N,); count: its first bytes only.

    Raises ImageError, which names the file, if it is no ordinary file, too large, or cannot be read.
    """
    try:
        with open(ordinary_file(path, LARGEST_PICTURE), "rb") as file:
            return np.frombuffer(file.read(count), np.uint8)
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {one_line(error)}") from None
    except MonodepthError as error:
        raise ImageError(str(error)) from None


def read_picture(path: str | Path) -> np.ndarray:
    """The picture in a file as it is stored, see `read_container`. Raises ImageError, which names the file."""
    data = picture_bytes(path)
    try:
        return read_container(data, "")
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from None
