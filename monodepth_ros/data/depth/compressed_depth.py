# SPDX-License-Identifier: Apache-2.0
"""Depth images of image_transport's compressedDepth and compressed transports in metres."""

import struct
from typing import Any

import numpy as np

from monodepth_ros.data.depth.depth_codec import millimetres
from monodepth_ros.data.depth.rvl import decode_rvl
from monodepth_ros.data.images.containers import read_container
from monodepth_ros.data.images.image_codec import ImageError
from monodepth_ros.data.images.picture_header import PNG_HEAD
from monodepth_ros.foreign_text import shown

HEADER = struct.Struct("<iff")  # kind, A, B of depth = A / (q - B)
_MILLIMETRES, _QUANTISED = ("16uc1", "mono16"), "32fc1"


def decode_compressed_depth(message: Any) -> np.ndarray:
    """Depth [m], float32 (H, W), of a sensor_msgs/CompressedImage; NaN where it holds 0.

    16UC1 and mono16 are millimetres; 32FC1 is quantised in inverse depth, with A and B in a header of 12 bytes. Reads
    the PNG and RVL forms of compressedDepth, and PNG and TIFF of the compressed transport (16 bits; TIFF also as
    metres in 32FC1). Raises ImageError for other data.
    """
    encoding, _, form = (part.strip() for part in message.format.partition(";"))
    data = np.asarray(message.data, np.uint8)
    if not _has_header(data, form):
        picture = read_container(data, message.format)
        if picture.dtype == np.float32 and picture.ndim == 2:
            return picture
        return millimetres(_checked(picture, message.format))
    kind = encoding.lower() if form else ""
    if kind not in (*_MILLIMETRES, _QUANTISED, "") or len(data) <= HEADER.size:
        raise ImageError(
            f"compressed depth of format {shown(message.format)!r} and {len(data)} bytes: expected 16UC1 or 32FC1"
        )
    _, a, b = HEADER.unpack(data[: HEADER.size].tobytes())
    kind = kind or (_QUANTISED if a > 0 else _MILLIMETRES[0])
    content = data[HEADER.size :]
    if "rvl" in form.lower():
        counts = decode_rvl(content)
        if not counts.size:
            raise ImageError("empty RVL depth image")
    else:
        counts = _checked(read_container(content, message.format), message.format)
    if kind in _MILLIMETRES:
        return millimetres(counts)
    with np.errstate(all="ignore"):
        depth = (a / (counts.astype(np.float64) - b)).astype(np.float32)
    depth[(counts == 0) | ~(depth > 0)] = np.nan
    return depth


def _has_header(data: np.ndarray, form: str) -> bool:
    """Whether the data has the header of compressedDepth, by the format, or by the PNG behind it."""
    return "compresseddepth" in form.lower() or data[HEADER.size :][: len(PNG_HEAD)].tobytes() == PNG_HEAD


def _checked(counts: np.ndarray, format: str) -> np.ndarray:
    if counts.dtype != np.uint16 or counts.ndim != 2:
        raise ImageError(f"compressed depth of format {shown(format)!r}: expected a picture of one channel and 16 bits")
    return counts
