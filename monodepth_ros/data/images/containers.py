# SPDX-License-Identifier: Apache-2.0
"""Compressed pictures: which format the bytes are, whether they are whole, and the array that they hold."""

import os

import cv2
import numpy as np

from monodepth_ros.data.images.encodings import CONTAINERS, OTHER_RAW, VIDEO, known_name
from monodepth_ros.data.images.headers.tiff import orientation_at
from monodepth_ros.data.images.picture_header import PNG_HEAD, checked_header, container
from monodepth_ros.data.images.pixels import ImageError
from monodepth_ros.foreign_text import shown

# A damaged picture is told once, in our words; OpenCV would print lines about each one.
if "OPENCV_LOG_LEVEL" not in os.environ:
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

_START_CODES = (b"\0\0\0\x01", b"\0\0\x01")


def may_be_deep(data: np.ndarray) -> bool:
    """Whether compressed bytes may hold a picture of 16 bits, by their first 64."""
    is_deep_png = data[:8].tobytes() == PNG_HEAD and data.size > 24 and data[24] == 16
    return is_deep_png or container(data) in ("TIFF", "PNM")


def read_container(data: np.ndarray, format: str) -> np.ndarray:
    """The picture in compressed bytes, as it is stored: (H, W) or (H, W, 3 or 4) in OpenCV's order of channels.

    Its orientation by EXIF or TIFF tags is ignored: a camera's calibration is for the rows and columns of the sensor.
    format: of the message, for errors. Raises ImageError for empty, truncated or foreign data.
    """
    kind = container(data)
    if not kind:
        _refuse_other_data(data, format)
    checked_header(data, _what(data, format))
    # OpenCV fills the missing part of a truncated picture with grey, without an error.
    if kind == "JPEG" and not is_whole_jpeg(data):
        raise ImageError(f"{_what(data, format)} is a truncated JPEG")
    if kind == "TIFF":
        data = _without_orientation(data)
    try:
        array = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    except (cv2.error, MemoryError):
        array = None
    if array is None:
        raise ImageError(f"{_what(data, format)} is not a readable {kind}: it is damaged or truncated")
    if array.ndim == 3 and array.shape[2] not in (3, 4):
        raise ImageError(f"{_what(data, format)} has {array.shape[2]} channels: publish 1, 3 or 4")
    return array


def is_whole_jpeg(data: np.ndarray) -> bool:
    """Whether a JPEG has its end marker. Whatever follows the marker, such as padding of any length, does not count."""
    if data[-2:].tobytes() == b"\xff\xd9":
        return True
    # Padding of one value is found from behind; other remains of a buffer only by a search from the front.
    tail = data[-4096:]
    kept = np.flatnonzero(tail != tail[-1])
    if kept.size and tail[max(0, kept[-1] - 1) : kept[-1] + 1].tobytes() == b"\xff\xd9":
        return True
    content = data.tobytes()
    scan = _start_of_scan(content)
    return scan > 0 and content.find(b"\xff\xd9", scan) > 0


def _start_of_scan(content: bytes) -> int:
    """Position of a JPEG's first scan, behind the segments that may hold a small picture of their own; 0 if none."""
    position = 2
    while position + 4 <= len(content) and content[position] == 0xFF:
        marker = content[position + 1]
        if marker == 0xFF:  # a byte of filling
            position += 1
            continue
        if marker == 0xDA:
            return position
        position += 2 + int.from_bytes(content[position + 2 : position + 4], "big")
    return 0


def _without_orientation(data: np.ndarray) -> np.ndarray:
    """A TIFF without its orientation, by which OpenCV turns the picture whatever it is asked for."""
    found = orientation_at(memoryview(np.ascontiguousarray(data)))
    if found is None:
        return data
    at, order = found
    changed = np.array(data)
    changed[at : at + 2] = (1, 0) if order == "little" else (0, 1)
    return changed


def _what(data: np.ndarray, format: str) -> str:
    stated = f"format {shown(format)!r}, " if format else ""
    return f"compressed image ({stated}{data.size} bytes)"


def _refuse_other_data(data: np.ndarray, format: str) -> None:
    """Raise ImageError for bytes of no known format that are part of a video, or raw."""
    if VIDEO.search(format) or data[:4].tobytes().startswith(_START_CODES):
        remedy = "which cannot be decoded image by image"
        if not VIDEO.search(format):
            remedy = "whose publisher has to state the codec as format, such as h264"
        raise ImageError(f"{_what(data, format)} is part of a video stream, {remedy}")
    raw = known_name(format.strip())
    other = OTHER_RAW.search(format)
    if data.size and "compressed" not in format and (other or (raw and raw not in CONTAINERS)):
        name = other[0] if other else raw
        raise ImageError(
            f"CompressedImage holds raw {name} ({data.size} bytes): publish sensor_msgs/Image, which states the size"
        )
