# SPDX-License-Identifier: Apache-2.0
"""Depth images of messages and files in metres."""

from pathlib import Path

import numpy as np

from monodepth_ros.data.images.image_codec import ImageError
from monodepth_ros.data.images.picture_file import read_picture
from monodepth_ros.data.images.raw_image import check_claim
from monodepth_ros.foreign_text import shown

KITTI_COUNTS_PER_METRE = 256.0
# By name in lower case; integers are millimetres, and values that are not above 0 hold no depth.
_ENCODINGS = {"32fc1": "f4", "64fc1": "f8", "16uc1": "u2", "mono16": "u2", "16sc1": "i2"}


def decode_depth(message) -> np.ndarray:
    """Depth [m], float32 (H, W), of an image message of metres or millimetres; NaN for 0 millimetres.

    Metres: 32FC1, 64FC1. Millimetres: 16UC1, mono16 (recorders of cameras' makers), 16SC1. Honours `step` and
    `is_bigendian`. Raises ImageError for another encoding or missing data.
    """
    name = message.encoding.strip().lower()
    if name not in _ENCODINGS:
        raise ImageError(f"depth image of encoding {shown(message.encoding)!r}: expected 32FC1 or 16UC1")
    check_claim(message)
    dtype = np.dtype((">" if message.is_bigendian else "<") + _ENCODINGS[name])
    row = message.width * dtype.itemsize
    if message.step < row or len(message.data) < message.step * max(0, message.height - 1) + row:
        raise ImageError(
            f"depth image data of {len(message.data)} bytes is too short: {message.height} rows of "
            f"{message.width} {message.encoding} pixels (step {message.step}) need {row * message.height} or more"
        )
    strides = message.step, dtype.itemsize
    values = np.ndarray((message.height, message.width), dtype, buffer=message.data, strides=strides)
    if dtype.kind != "f":
        return millimetres(values)
    with np.errstate(all="ignore"):  # numbers that float32 does not hold become infinite
        return values.astype(np.float32)


def millimetres(counts: np.ndarray) -> np.ndarray:
    """Depth [m], float32 (H, W), of millimetres (H, W); NaN for 0 and less."""
    return _metres(counts, 1000.0)


def read_depth_png(path: str | Path, counts_per_metre: float) -> np.ndarray:
    """Depth [m], float32 (H, W), of a 16-bit PNG; NaN where the file holds 0. Raises ImageError for any other file."""
    counts = read_picture(path)
    if counts.dtype != np.uint16 or counts.ndim != 2:
        raise ImageError(f"{path} is not a depth image: expected a PNG of one channel and 16 bits")
    return _metres(counts, counts_per_metre)


def _metres(counts: np.ndarray, counts_per_metre: float) -> np.ndarray:
    depth = counts.astype(np.float32) / np.float32(counts_per_metre)
    depth[counts <= 0] = np.nan
    return depth
