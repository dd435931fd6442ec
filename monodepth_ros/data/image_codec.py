# SPDX-License-Identifier: Apache-2.0
"""Image messages to pixels: every encoding that this package accepts, raw or compressed.

Works on anything with the fields of sensor_msgs/Image or sensor_msgs/CompressedImage: rclpy messages in the live node,
`rosbags` messages in the trainer. Independent of ROS.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from monodepth_ros.errors import MonodepthError


class ImageError(MonodepthError):
    """An image that cannot be decoded: unknown encoding, wrong step, missing data or broken compression."""


@dataclass(frozen=True)
class Pixels:
    """8-bit pixels and the meaning of their channels.

    Channels keep the order of the message, because swapping them costs less after the image has been made smaller.

    array: uint8, (H, W) for `mono`, (H, W, 3) for `rgb` and `bgr`, (H, W, 4) for `rgba` and `bgra`; may be a read-only
    view of the message. layout: one of those five names.
    """

    array: np.ndarray
    layout: str

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.array.shape[1], self.array.shape[0]

    @classmethod
    def from_opencv(cls, array: np.ndarray) -> "Pixels":
        """Pixels of an image as OpenCV reads it: uint8, (H, W) grey or (H, W, 3 or 4) BGR(A)."""
        return cls(array, "mono" if array.ndim == 2 else {3: "bgr", 4: "bgra"}[array.shape[2]])


# Raw encodings: (channels, bytes per channel, layout). OpenCV's names without colours are read as cv_bridge reads them.
_DIRECT = {
    "rgb8": (3, 1, "rgb"),
    "bgr8": (3, 1, "bgr"),
    "8UC3": (3, 1, "bgr"),
    "rgba8": (4, 1, "rgba"),
    "bgra8": (4, 1, "bgra"),
    "8UC4": (4, 1, "bgra"),
    "mono8": (1, 1, "mono"),
    "8UC1": (1, 1, "mono"),
    "mono16": (1, 2, "mono"),
    "16UC1": (1, 2, "mono"),
}
_BAYER = {
    "bayer_rggb": cv2.COLOR_BayerRGGB2RGB,
    "bayer_bggr": cv2.COLOR_BayerBGGR2RGB,
    "bayer_gbrg": cv2.COLOR_BayerGBRG2RGB,
    "bayer_grbg": cv2.COLOR_BayerGRBG2RGB,
}
_YUV = {
    "yuv422": cv2.COLOR_YUV2RGB_UYVY,
    "uyvy": cv2.COLOR_YUV2RGB_UYVY,
    "yuv422_yuy2": cv2.COLOR_YUV2RGB_YUYV,
    "yuyv": cv2.COLOR_YUV2RGB_YUYV,
}
ENCODINGS = tuple(_DIRECT) + tuple(f"{name}{bits}" for name in _BAYER for bits in (8, 16)) + tuple(_YUV)

# Some cameras pad a JPEG after its end marker.
_JPEG_TAIL = 4096

_TO_RGB = {
    "bgr": cv2.COLOR_BGR2RGB,
    "rgba": cv2.COLOR_RGBA2RGB,
    "bgra": cv2.COLOR_BGRA2RGB,
    "mono": cv2.COLOR_GRAY2RGB,
}
_TO_GRAY = {
    "rgb": cv2.COLOR_RGB2GRAY,
    "bgr": cv2.COLOR_BGR2GRAY,
    "rgba": cv2.COLOR_RGBA2GRAY,
    "bgra": cv2.COLOR_BGRA2GRAY,
}


def to_rgb(array: np.ndarray, layout: str) -> np.ndarray:
    """Pixels of any layout as RGB, uint8 (H, W, 3); the same array if it is already RGB."""
    return array if layout == "rgb" else cv2.cvtColor(array, _TO_RGB[layout])


def to_gray(array: np.ndarray, layout: str) -> np.ndarray:
    """Pixels of any layout as grey values, uint8 (H, W); the same array if it is already grey."""
    return array if layout == "mono" else cv2.cvtColor(array, _TO_GRAY[layout])


def check_image(message) -> None:
    """Raise ImageError for an encoding not in ENCODINGS, an empty image, a wrong step or missing data."""
    encoding, width, height, step = message.encoding, message.width, message.height, message.step
    if encoding not in ENCODINGS:
        raise ImageError(f"unknown image encoding {encoding!r}: publish one of {', '.join(ENCODINGS)}")
    if height == 0 or width == 0:
        raise ImageError(f"empty image: {width}x{height}")
    if encoding in _YUV and width % 2:
        raise ImageError(f"{encoding} image of odd width {width}: two pixels share their colour, so it must be even")
    if encoding.startswith("bayer") and (width < 2 or height < 2):
        raise ImageError(f"{encoding} image of {width}x{height}: a Bayer pattern needs at least 2x2 pixels")
    channels, depth = _sample(encoding)
    row = width * channels * depth
    if step < row:
        raise ImageError(f"image step {step} is smaller than a row: {width} pixels of {encoding} need {row} bytes")
    # The last row may come without its padding.
    if len(message.data) < step * (height - 1) + row:
        raise ImageError(
            f"image data of {len(message.data)} bytes is too short: {height} rows of step {step} need {step * height}"
        )


def decode_image(message) -> Pixels:
    """Pixels of a raw image message (sensor_msgs/Image).

    Honours `step` (padded rows) and `is_bigendian`. 8-bit data is not copied. 16-bit data is scaled by 255/65535, as in
    cv_bridge. Bayer and YUV become RGB. Raises ImageError as check_image does.
    """
    check_image(message)
    array = _rows(message, *_sample(message.encoding))
    if message.encoding in _DIRECT:
        return Pixels(_to_8_bit(array), _DIRECT[message.encoding][2])
    if message.encoding in _YUV:
        return Pixels(cv2.cvtColor(array, _YUV[message.encoding]), "rgb")
    mosaic = np.ascontiguousarray(array)
    return Pixels(_to_8_bit(cv2.cvtColor(mosaic, _BAYER[message.encoding.rstrip("0123456789")])), "rgb")


def decode_compressed(message) -> Pixels:
    """Pixels of a compressed image message (sensor_msgs/CompressedImage: JPEG, PNG and other formats of OpenCV).

    Raises ImageError for empty, truncated or foreign data.
    """
    data = np.frombuffer(message.data, np.uint8)
    # OpenCV fills the missing part of a truncated JPEG with grey without an error: look for the end marker.
    if data[:2].tobytes() == b"\xff\xd8" and b"\xff\xd9" not in data[-_JPEG_TAIL:].tobytes():
        raise ImageError(f"compressed image (format {message.format!r}, {data.size} bytes) is a truncated JPEG")
    try:
        array = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    except cv2.error:
        array = None
    if array is None:
        raise ImageError(
            f"compressed image (format {message.format!r}, {data.size} bytes) is not a readable JPEG or PNG"
        )
    if array.dtype == np.uint16:
        array = _to_8_bit(array)
    if array.dtype != np.uint8:
        raise ImageError(
            f"compressed image (format {message.format!r}) holds {array.dtype} values: publish 8 or 16 bits"
        )
    return Pixels.from_opencv(array)


def _sample(encoding: str) -> tuple[int, int]:
    """(channels, bytes per channel) of an encoding in ENCODINGS."""
    if encoding in _DIRECT:
        return _DIRECT[encoding][:2]
    if encoding in _YUV:
        return 2, 1
    return 1, 2 if encoding.endswith("16") else 1


def _rows(message, channels: int, depth: int) -> np.ndarray:
    """The rows of a checked message: (H, W) or (H, W, C), a view for uint8, a copy in native order for uint16."""
    dtype = np.dtype(np.uint8)
    if depth == 2:
        dtype = np.dtype(">u2" if message.is_bigendian else "<u2")
    shape, strides = (message.height, message.width), (message.step, channels * depth)
    if channels > 1:
        shape, strides = (*shape, channels), (*strides, depth)
    array = np.ndarray(shape, dtype, buffer=message.data, strides=strides)
    return array if depth == 1 else array.astype(np.uint16)


def _to_8_bit(array: np.ndarray) -> np.ndarray:
    if array.dtype == np.uint8:
        return array
    return cv2.convertScaleAbs(array, alpha=255.0 / 65535.0)
