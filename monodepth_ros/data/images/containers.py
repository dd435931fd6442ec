# SPDX-License-Identifier: Apache-2.0
"""Compressed pictures: which format the bytes are, whether they are whole, and the array that they hold."""

import struct

import cv2
import numpy as np

from monodepth_ros.data.images.encodings import CONTAINERS, OTHER_RAW, VIDEO, known_name
from monodepth_ros.data.images.pixels import ImageError

JPEG_HEAD, PNG_HEAD = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_HEADS = {
    JPEG_HEAD: "JPEG",
    PNG_HEAD: "PNG",
    b"RIFF": "WebP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"BM": "BMP",
    b"GIF8": "GIF",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\0\0\0\x0cjP": "JPEG 2000",
}
_PORTABLE = (b"P5", b"P6")  # PGM, PPM
_START_CODES = (b"\0\0\0\x01", b"\0\0\x01")
_ORIENTATION, _SHORT_TYPE = 0x0112, 3


def container(data: np.ndarray) -> str:
    """Name of the format of compressed bytes; '' if it is none that a camera writes."""
    head = data[:12].tobytes()
    found = next((name for mark, name in _HEADS.items() if head.startswith(mark)), "")
    return "" if found == "WebP" and head[8:] != b"WEBP" else found


def may_be_deep(data: np.ndarray) -> bool:
    """Whether compressed bytes may hold a picture of 16 bits, by their first 64."""
    is_deep_png = data[:8].tobytes() == PNG_HEAD and data.size > 24 and data[24] == 16
    return is_deep_png or container(data) == "TIFF" or data[:2].tobytes() in _PORTABLE


def read_container(data: np.ndarray, format: str) -> np.ndarray:
    """The picture in compressed bytes, as it is stored: (H, W) or (H, W, 3 or 4) in OpenCV's order of channels.

    Its orientation by EXIF or TIFF tags is ignored: a camera's calibration is for the rows and columns of the sensor.
    format: of the message, for errors. Raises ImageError for empty, truncated or foreign data.
    """
    kind = container(data)
    # OpenCV fills the missing part of a truncated picture with grey or zeros, without an error.
    if (kind == "JPEG" and not is_whole_jpeg(data)) or (kind == "PNG" and not _has_png_end(data)):
        raise ImageError(f"{_what(data, format)} is a truncated {kind}")
    if kind == "TIFF":
        data = _without_orientation(data)
    try:
        array = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    except cv2.error:
        array = None
    if array is None:
        raise ImageError(_refusal(data, format, kind))
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


def _has_png_end(data: np.ndarray) -> bool:
    return b"IEND" in data[-32:].tobytes() or b"IEND" in data.tobytes()


def _without_orientation(data: np.ndarray) -> np.ndarray:
    """A TIFF without its orientation, by which OpenCV turns the picture whatever it is asked for."""
    order = "<" if data[0] == ord("I") else ">"
    content = data.tobytes()
    try:
        (start,) = struct.unpack_from(order + "I", content, 4)
        (count,) = struct.unpack_from(order + "H", content, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", content, entry)
            if (tag, kind) == (_ORIENTATION, _SHORT_TYPE) and value != 1:
                changed = bytearray(content)
                struct.pack_into(order + "H", changed, entry + 8, 1)
                return np.frombuffer(changed, np.uint8)
    except struct.error:  # OpenCV refuses it
        pass
    return data


def _what(data: np.ndarray, format: str) -> str:
    stated = f"format {format!r}, " if format else ""
    return f"compressed image ({stated}{data.size} bytes)"


def _refusal(data: np.ndarray, format: str, kind: str) -> str:
    if VIDEO.search(format) or (not kind and data[:4].tobytes().startswith(_START_CODES)):
        return f"{_what(data, format)} is part of a video stream, which cannot be decoded image by image"
    raw = known_name(format.strip())
    other = OTHER_RAW.search(format)
    if not kind and data.size and "compressed" not in format and (other or (raw and raw not in CONTAINERS)):
        name = other[0] if other else raw
        return f"CompressedImage holds raw {name} ({data.size} bytes): publish sensor_msgs/Image, which states the size"
    return f"{_what(data, format)} is not a readable {kind or 'JPEG, PNG, WebP or TIFF'}"
