# SPDX-License-Identifier: Apache-2.0
"""The bytes of a sensor_msgs/Image: whether they fit its encoding, size and step, and their conversion to RGB."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from monodepth_ros.data.images.encodings import BAYER, PACKED, PLAIN, PLANES, Encoding
from monodepth_ros.data.images.pixels import ImageError, Pixels
from monodepth_ros.limits import LONGEST_SIDE, MOST_PIXELS

# Encodings by bytes per pixel, named where the data does not fit the stated one.
_BY_BYTES = {
    1: ("mono8", "bayer_rggb8"),
    1.5: ("nv12", "nv21"),
    2: ("yuv422", "yuv422_yuy2", "mono16"),
    3: ("rgb8", "bgr8"),
    4: ("rgba8", "bgra8"),
    6: ("rgb16", "bgr16"),
}
# Narrower rows are padded to a multiple of their own length by chance.
_MIN_WIDTH = 32


class MisfitError(ImageError):
    """Data that does not fit the encoding, with its size and its step."""


def check_claim(message: Any) -> None:
    """Raise ImageError for an image message that claims no picture, or one that is larger than pictures are."""
    width, height = message.width, message.height
    if height == 0 or width == 0:
        raise ImageError(f"empty image: {width}x{height}")
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise ImageError(
            f"image that claims {width}x{height} pixels: no more than {MOST_PIXELS / 1e6:.0f} million pixels and "
            f"{LONGEST_SIDE} on a side are read"
        )


def check_rows(message: Any, encoding: Encoding) -> int:
    """The step [bytes] of the rows of an image message; of the rows of Y for PLANES.

    Raises ImageError for an empty or too narrow image, MisfitError for a wrong step or missing data.
    """
    width, height, step, count = message.width, message.height, message.step, len(message.data)
    name = encoding.name
    check_claim(message)
    if encoding.family == PACKED and width % 2:
        raise ImageError(f"{name} image of odd width {width}: two pixels share their colour, so it must be even")
    if encoding.family == BAYER and (width < 2 or height < 2):
        raise ImageError(f"{name} image of {width}x{height}: a Bayer pattern needs at least 2x2 pixels")
    row = encoding.row_bytes(width)
    if encoding.family == PLANES:
        return _plane_layout(message, encoding)[1]
    # Some drivers leave the step at 0, or count pixels.
    if step in (0, width) and step < row and count == row * height:
        return row
    if step < row:
        fits = _fitting(message, encoding)
        raise MisfitError(f"image step {step} is smaller than a row: {width} pixels of {name} need {row} bytes{fits}")
    # The last row may come without its padding.
    if count < step * (height - 1) + row:
        raise MisfitError(
            f"image data of {count} bytes is too short: {height} rows of step {step} need {step * height}"
            f"{_fitting(message, encoding)}"
        )
    if step != row or count != row * height:
        _check_excess(message, encoding)
    return step


def read_rows(message: Any, encoding: Encoding) -> np.ndarray:
    """The samples of an image message: (H, W) or (H, W, C), a view for uint8, a copy in native order for uint16.

    (H + chroma rows, W) for PLANES. Raises ImageError as check_rows.
    """
    step = check_rows(message, encoding)
    height, width = message.height, message.width
    if encoding.family == PLANES:
        height = _plane_layout(message, encoding)[0]
    dtype = np.dtype(np.uint8)
    if encoding.itemsize == 2:
        dtype = np.dtype(">u2" if message.is_bigendian else "<u2")
    channels, depth = encoding.channels, encoding.itemsize
    shape: tuple[int, ...] = (height, width)
    strides: tuple[int, ...] = (step, channels * depth)
    if channels > 1:
        shape, strides = (*shape, channels), (*strides, depth)
    array = np.ndarray(shape, dtype, buffer=message.data, strides=strides)
    return array if depth == 1 else array.astype(np.uint16)


def convert(array: np.ndarray, encoding: Encoding, to_8_bit: Callable[[np.ndarray], np.ndarray]) -> Pixels:
    """Pixels of the samples that read_rows gives. to_8_bit: maps uint16 to uint8."""
    if encoding.family != PLAIN:
        array = _to_rgb(array, encoding)
    return Pixels(array if array.dtype == np.uint8 else to_8_bit(array), encoding.layout)


def _to_rgb(array: np.ndarray, encoding: Encoding) -> np.ndarray:
    if encoding.name == "nv24":
        return _nv24_to_rgb(array)
    contiguous = array if encoding.family == PACKED else np.ascontiguousarray(array)
    return cv2.cvtColor(contiguous, encoding.code)


def _nv24_to_rgb(array: np.ndarray) -> np.ndarray:
    """RGB of a plane of Y and a plane of U and V for every pixel, stacked (3 H, W).

    OpenCV converts no such image: each pixel becomes a pair that shares its colour.
    """
    height, width = array.shape[0] // 3, array.shape[1]
    chroma = np.ascontiguousarray(array[height:]).reshape(height, width, 2)
    pairs = np.empty((height, width, 2, 2), np.uint8)
    pairs[..., 0], pairs[..., 1] = chroma, array[:height, :, None]
    return np.ascontiguousarray(cv2.cvtColor(pairs.reshape(height, 2 * width, 2), cv2.COLOR_YUV2RGB_UYVY)[:, ::2])


def _plane_layout(message: Any, encoding: Encoding) -> tuple[int, int]:
    """The number of rows of both planes, and their step [bytes].

    `height` is that of the picture, or in some drivers counts the rows of both planes; `step` is that of a row, or in
    others the bytes of both planes for each row of the picture. The size of the data tells. Raises ImageError.
    """
    name, share = encoding.name, 3 if encoding.name == "nv24" else 1.5
    width, height, step, count = message.width, message.height, message.step, len(message.data)
    rows = round(share * height)
    if step >= width and count >= step * (rows - 1) + width:
        found = rows, step
    elif count == rows * width:
        found = rows, width
    elif height % 3 == 0 and step not in (share * width, 0) and step * (height - 1) + width <= count <= step * height:
        found = height, step
    elif count > rows * width:
        found = rows, width
    else:
        needed = rows * max(step, width)
        raise MisfitError(
            f"image data of {count} bytes is too short: {name} of {width}x{height} needs {rows} rows of step "
            f"{max(step, width)}, {needed} in all{_fitting(message, encoding)}"
        )
    picture = round(found[0] / share)
    if name != "nv24" and (width % 2 or picture % 2):
        raise ImageError(f"{name} image of {width}x{picture}: four pixels share their colour, so both must be even")
    return found


def _check_excess(message: Any, encoding: Encoding) -> None:
    """Raise MisfitError for rows that hold the pixels of another encoding: reading them would give a false picture."""
    width, height, step, count = message.width, message.height, message.step, len(message.data)
    if width < _MIN_WIDTH:
        return
    stated = encoding.channels * encoding.itemsize
    found = step / width
    if step == encoding.row_bytes(width):
        found = count / (width * height)
    if stated == 1 and (found in (3, 4) or (found == 2 and step == width)):
        raise MisfitError(
            f"{encoding.name} image with {found:g} bytes for each pixel{_fitting(message, encoding, found)}"
        )
    if stated == 3 and found == 4 and _is_constant(message):
        raise MisfitError(f"{encoding.name} image with 4 bytes for each pixel{_fitting(message, encoding, 4)}")


def _is_constant(message: Any) -> bool:
    """Whether every fourth byte is the same, as an alpha channel is."""
    fourth = np.frombuffer(message.data, np.uint8)[3 : message.step * message.height : 4]
    return bool((fourth == fourth[0]).all())


def _fitting(message: Any, encoding: Encoding, found: float = 0.0) -> str:
    """The other encodings that the data would fit, as the end of a message; '' for none."""
    found = found or len(message.data) / (message.width * message.height)
    names = () if found == encoding.channels * encoding.itemsize else _BY_BYTES.get(found, ())
    if not names or encoding.name in names:
        return ""
    return f"; the bytes fit {' or '.join(names)}: state the right one by --encoding (the node's image.encoding)"
