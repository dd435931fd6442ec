# SPDX-License-Identifier: Apache-2.0
"""The images of one camera to pixels: what their bytes mean is decided once and kept."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import cv2
import numpy as np

from monodepth_ros.data.images.byte_order import ByteOrder
from monodepth_ros.data.images.byte_patterns import is_mosaic
from monodepth_ros.data.images.containers import may_be_deep, read_container
from monodepth_ros.data.images.decoder_options import DecoderOptions
from monodepth_ros.data.images.encodings import BAYER, CONTAINERS, PLAIN, RAW, Encoding, check_name, known_name
from monodepth_ros.data.images.intensity import Intensity, parse_range
from monodepth_ros.data.images.picture_header import JPEG_HEAD, PNG_HEAD, container
from monodepth_ros.data.images.pixels import ImageError, Pixels
from monodepth_ros.data.images.raw_image import MisfitError, convert, read_rows
from monodepth_ros.data.images.transport_format import UNSURE, array_encoding, message_encoding
from monodepth_ros.foreign_text import shown
from monodepth_ros.limits import LONGEST_NAME

MOST_NAMES = 100
_SWITCH = "--encoding (the node's image.encoding)"
# The first three bytes of compressed pictures in messages that should hold raw ones.
_COMPRESSED_HEADS = {JPEG_HEAD[:3], PNG_HEAD[:3], b"RIF", b"II*"}


class ImageDecoder:
    """Decoder of the sensor_msgs/Image or sensor_msgs/CompressedImage messages of one camera.

    What the messages leave open is decided once, so that consecutive images stay comparable: the bits in use of 16-bit
    images, the order of bytes of YUV 4:2:2, mosaics. `learn` decides by a sample of a recording, so that every reader
    of it decides alike; without, the first images decide. remark: called once with each thing that a user should know.
    Raises ImageError for options that cannot be.
    """

    def __init__(
        self, options: DecoderOptions = DecoderOptions(), remark: Callable[[str], None] = lambda text: None
    ) -> None:
        self._stated = check_name(options.encoding) if options.encoding else ""
        self._told: set[str] = set()
        self._tell = remark
        self._intensity = Intensity(parse_range(options.intensity_range), self._remark)
        self._encodings: dict[str, Encoding] = {}
        self._arrays: dict[str, str] = {}
        self._order = ByteOrder(not self._stated, self._remark)
        self._is_mosaic: bool | None = None

    def _remark(self, text: str) -> None:
        if text not in self._told and len(self._told) < MOST_NAMES:
            self._told.add(text)
            self._tell(text)

    def needs_sample(self, message: Any) -> bool:
        """Whether images like this one leave something open that a sample of the recording should decide."""
        try:
            if hasattr(message, "encoding"):
                encoding = self._encoding(message.encoding)
                return encoding is not None and encoding.needs_order
        except ImageError:
            return False
        data = _bytes_of(message)
        return may_be_deep(data) or self._array(message.format) == UNSURE

    def learn(self, messages: Iterable[Any]) -> None:
        """Decide by a sample of the images, which must be the same for every reader. Broken ones are passed over."""
        raw, deep, mosaics = [], [], []
        for message in messages:
            with suppress(ImageError):
                if hasattr(message, "encoding"):
                    encoding = self._encoding(message.encoding)
                    raw += [] if encoding is None else [(read_rows(message, encoding), encoding)]
                    continue
                array = read_container(_bytes_of(message), message.format)
                if array.dtype == np.uint16:
                    deep.append(array)
                if array.ndim == 2 and self._array(message.format) == UNSURE:
                    mosaics.append(is_mosaic(array))
        self._order.learn(raw)
        deep += [self._order.righted(array, encoding)[0] for array, encoding in raw if array.dtype == np.uint16]
        self._intensity.learn(deep)
        if mosaics:
            self._is_mosaic = sum(mosaics) * 2 > len(mosaics)

    def decode(self, message: Any) -> Pixels:
        """Pixels of an image message, raw or compressed.

        Raw: honours `step` (padded rows) and `is_bigendian`, and does not copy 8-bit data; Bayer and YUV become RGB.
        Raises ImageError for an encoding that holds no picture, and for empty, truncated or foreign data.
        """
        if not hasattr(message, "encoding"):
            return self._compressed(_bytes_of(message), message.format)
        if bytes(memoryview(message.data)[:3]) in _COMPRESSED_HEADS:
            picture = self._hidden_picture(message)
            if picture is not None:
                return picture
        encoding = self._encoding(message.encoding)
        if encoding is None:
            raise ImageError(
                f"image of encoding {shown(message.encoding)!r} and {len(message.data)} bytes is not a compressed "
                "picture"
            )
        try:
            return self._convert(message, encoding)
        except MisfitError:
            other = self._other_encoding(message, encoding)
            if other is None:
                raise
            self._remark(
                f"{encoding.name} images with one byte for each pixel are read as {other.name}; state another one by "
                f"{_SWITCH}"
            )
            return self._convert(_Packed(message, other), other)

    def _convert(self, message: Any, encoding: Encoding) -> Pixels:
        array = read_rows(message, encoding)
        if encoding.needs_order:
            array, encoding = self._order.righted(array, encoding)
        elif encoding.channels == 1 and encoding.family == PLAIN and self._is_mosaic is None:
            self._look_for_mosaic(array, encoding.name)
        return self.to_pixels(message, array, encoding)

    def to_pixels(self, message: Any, array: np.ndarray, encoding: Encoding) -> Pixels:
        """Pixels of the samples of a raw message; the step that another library may replace."""
        return convert(array, encoding, self._intensity.to_8_bit)

    def _encoding(self, name: str) -> Encoding | None:
        """The encoding that images of this name have; None if they should be compressed pictures."""
        known = self._encodings.get(name)
        if known is None:
            meant = self._stated or check_name(name)
            if meant in CONTAINERS:
                return None
            known = RAW[meant]
            _remember(self._encodings, name, known)
        return known

    def _look_for_mosaic(self, array: np.ndarray, name: str) -> None:
        self._is_mosaic = False
        if not self._stated and is_mosaic(array):
            self._remark(
                f"the {name} images look like the mosaic of a colour camera: state its pattern, such as bayer_rggb8, "
                f"by {_SWITCH}"
            )

    def _hidden_picture(self, message: Any) -> Pixels | None:
        """The picture in a raw message whose data is compressed; None if it is not, or of another size."""
        is_named = not self._stated and known_name(message.encoding) in CONTAINERS
        data = _bytes_of(message)
        kind = container(data)
        try:
            pixels = self._compressed(data, "")
        except ImageError:
            if is_named:
                raise
            return None
        could_be_raw = data.size >= message.width * message.height > 0
        if not is_named and could_be_raw and pixels.size != (message.width, message.height):
            return None
        self._remark(
            f"sensor_msgs/Image of encoding {shown(message.encoding)!r} holds {kind} pictures, and is read as such: "
            "publish them as sensor_msgs/CompressedImage, so that other programs can read them"
        )
        return pixels

    def _other_encoding(self, message: Any, encoding: Encoding) -> Encoding | None:
        """The encoding of data that has exactly one byte for each pixel where more were stated."""
        pixels = message.width * message.height
        if self._stated or len(message.data) != pixels or encoding.channels * encoding.itemsize == 1:
            return None
        return RAW[encoding.name.replace("16", "8") if encoding.family == BAYER else "mono8"]

    def _compressed(self, data: np.ndarray, format: str) -> Pixels:
        array = read_container(data, format)
        if array.dtype not in (np.uint8, np.uint16):
            raise ImageError(f"compressed image holds {array.dtype} values, expected 8 or 16 bits")
        name = self._array(format)
        if array.ndim == 2:
            array = self._without_mosaic(array, name, format)
            layout = "mono" if array.ndim == 2 else "rgb"
        else:
            if self._stated.startswith("bayer"):
                raise ImageError(
                    f"compressed image (format {shown(format)!r}) has {array.shape[2]} channels, and {self._stated} "
                    f"was stated: a Bayer mosaic has one, so leave out {_SWITCH}"
                )
            is_rgb = name.startswith("rgb")
            layout = ("rgb" if is_rgb else "bgr") + ("a" if array.shape[2] == 4 else "")
        return Pixels(array if array.dtype == np.uint8 else self._intensity.to_8_bit(array), layout)

    def _array(self, format: str) -> str:
        """The encoding of the array in a compressed picture, as a user states it or by `array_encoding`."""
        name = self._arrays.get(format)
        if name is None:
            name = self._stated or array_encoding(format)
            _remember(self._arrays, format, name)
        return name

    def _without_mosaic(self, array: np.ndarray, name: str, format: str) -> np.ndarray:
        """A one-channel picture, as RGB if it is a mosaic."""
        if self._is_mosaic is None and name in ("", UNSURE):
            if name:
                self._is_mosaic = is_mosaic(array)
            else:
                self._look_for_mosaic(array, "one-channel")
        if name == UNSURE:
            name = message_encoding(format) if self._is_mosaic else ""
        if not name.startswith("bayer"):
            return array
        return cv2.cvtColor(array, RAW[name].code)


def _remember(known: dict[str, Any], name: str, meaning: Any) -> None:
    """Keep what a name means. Only a sender of nonsense has many names, and they shall not fill the memory."""
    if len(known) >= MOST_NAMES:
        known.clear()
    if len(name) <= LONGEST_NAME:
        known[name] = meaning


class _Packed:
    """An image message whose rows have no padding, whatever its step says."""

    def __init__(self, message: Any, encoding: Encoding):
        self.width, self.height, self.data = message.width, message.height, message.data
        self.is_bigendian, self.encoding = message.is_bigendian, message.encoding
        self.step = encoding.row_bytes(message.width)


def _bytes_of(message: Any) -> np.ndarray:
    return np.frombuffer(message.data, np.uint8)


def decode_message(message: Any) -> Pixels:
    """Pixels of one image message by itself, raw or compressed; for the images of one camera use an ImageDecoder.

    Raises ImageError as ImageDecoder.decode.
    """
    return ImageDecoder().decode(message)
