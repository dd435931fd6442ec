# SPDX-License-Identifier: Apache-2.0
"""Depth images of image_transport's compressedDepth and compressed transports in metres."""

import struct
from typing import Any

import cv2
import numpy as np

from monodepth_ros.data.depth_codec import millimetres
from monodepth_ros.data.image_codec import ImageError

HEADER = struct.Struct("<iff")  # kind, A, B of depth = A / (q - B)


def decode_compressed_depth(message: Any) -> np.ndarray:
    """Depth [m], float32 (H, W), of a sensor_msgs/CompressedImage; NaN where it holds 0.

    16UC1 is millimetres; 32FC1 is quantised in inverse depth, with A and B in a header of 12 bytes. Reads the PNG and
    RVL forms of compressedDepth, and a bare 16-bit PNG of the compressed transport. Raises ImageError for other data.
    """
    encoding, _, form = (part.strip() for part in message.format.partition(";"))
    data = np.asarray(message.data, np.uint8)
    if "compressedDepth" not in form:
        return millimetres(_png(data, message.format))
    if encoding not in ("16UC1", "32FC1") or len(data) <= HEADER.size:
        raise ImageError(
            f"compressed depth of format {message.format!r} and {len(data)} bytes: expected 16UC1 or 32FC1"
        )
    _, a, b = HEADER.unpack(data[: HEADER.size].tobytes())
    content = data[HEADER.size :]
    counts = decode_rvl(content) if "rvl" in form.lower() else _png(content, message.format)
    if encoding == "16UC1":
        return millimetres(counts)
    with np.errstate(divide="ignore"):
        depth = (a / (counts.astype(np.float64) - b)).astype(np.float32)
    depth[counts == 0] = np.nan
    return depth


def decode_rvl(data: np.ndarray) -> np.ndarray:
    """Counts (H, W) uint16 of an RVL image: uint32 columns, uint32 rows, then a stream of 4-bit words.

    Runs of zeros and non-zeros alternate, each with its length; a non-zero is its difference from the one before, with
    the sign in the lowest bit (Wilson 2017, Fast Lossless Depth Image Compression). Raises ImageError for missing data.
    """
    if len(data) < 8:
        raise ImageError(f"RVL depth of {len(data)} bytes: expected the size of the image and its data")
    columns, rows = (int(side) for side in data[:8].copy().view("<u4"))
    words = data[8 : 8 + (len(data) - 8) // 4 * 4].copy().view("<u4")
    nibbles = (words[:, None] >> np.arange(28, -4, -4, dtype=np.uint32) & 15).ravel().astype(np.int64)
    # Three bits in each word, the lowest first; the fourth bit marks that the number goes on.
    ends = np.flatnonzero(nibbles < 8)
    starts = np.concatenate(([0], ends[:-1] + 1))
    place = np.arange(len(nibbles)) - np.repeat(starts, np.diff(starts, append=len(nibbles)))
    numbers = (
        np.add.reduceat((nibbles & 7) << np.minimum(3 * place, 60), starts) if len(ends) else np.zeros(0, np.int64)
    )
    counts = np.zeros(columns * rows, np.int64)
    done = pixel = 0
    places, zigzag = [], []
    while pixel < len(counts):
        if done + 2 > len(numbers):
            raise ImageError(f"RVL depth ends after {pixel} of {len(counts)} pixels")
        zeros, filled = (int(number) for number in numbers[done : done + 2])
        pixel += zeros
        places.append(np.arange(pixel, pixel + filled))
        zigzag.append(numbers[done + 2 : done + 2 + filled])
        done, pixel = done + 2 + filled, pixel + filled
    where, packed = np.concatenate([*places, []]).astype(np.int64), np.concatenate([*zigzag, []]).astype(np.int64)
    if len(where) != len(packed) or pixel > len(counts):
        raise ImageError(f"RVL depth of {columns}x{rows} pixels with runs of another length: the data is damaged")
    counts[where] = np.cumsum((packed >> 1) ^ -(packed & 1))
    return counts.reshape(rows, columns).astype(np.uint16)


def _png(data: np.ndarray, format: str) -> np.ndarray:
    counts = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if counts is None or counts.dtype != np.uint16 or counts.ndim != 2:
        raise ImageError(f"compressed depth of format {format!r}: expected a PNG of one channel and 16 bits")
    return counts
