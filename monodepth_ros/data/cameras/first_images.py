# SPDX-License-Identifier: Apache-2.0
"""The first message of an image topic: how its pictures are stored, their size and frame."""

import re
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.bags.video_types import COMPRESSED_VIDEO, FFMPEG_PACKET
from monodepth_ros.data.cameras.image_names import base_name
from monodepth_ros.data.images.compressed_size import compressed_size
from monodepth_ros.data.images.containers import read_container
from monodepth_ros.data.images.image_codec import ImageError
from monodepth_ros.data.images.picture_header import container
from monodepth_ros.data.video_stream.codecs import codec_of, original_encoding
from monodepth_ros.data.video_stream.packets import frame_id as frame_of
from monodepth_ros.data.video_stream.packets import stamp_ns as stamp_of

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"
IMAGE_TYPES = (IMAGE, COMPRESSED_IMAGE, FFMPEG_PACKET, COMPRESSED_VIDEO)
RAW, COMPRESSED, VIDEO = "raw", "compressed", "video"
MOST_BLACK = 30  # messages

_16_BITS = re.compile(r"16[US]C1|mono16|[yz]16", re.IGNORECASE)
_FLOATS = re.compile(r"(16|32|64)FC(\d*)", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class FirstImage:
    """What the first message of an image topic says about all of them.

    base: name of the topic without its transport. kind: RAW, COMPRESSED or VIDEO. encoding: of the pictures, '' if
    unknown. frame_id, stamp_ns: of the header. size: (width, height) [pixels], None if unknown. channels, bits: of the
    stored values, 0 if unknown; 32 bits are floating-point numbers. is_compressed_depth: image_transport's
    compressedDepth. values: (H, W) uint16 of a picture of one channel and 16 bits.
    """

    topic: str
    base: str
    kind: str
    encoding: str
    frame_id: str
    stamp_ns: int
    size: tuple[int, int] | None
    channels: int
    bits: int
    is_compressed_depth: bool = False
    values: np.ndarray | None = None

    @property
    def frame(self) -> str:
        """The frame_id without a leading slash."""
        return self.frame_id.lstrip("/")


_known: WeakKeyDictionary[Recording, dict[str, FirstImage]] = WeakKeyDictionary()


def first_image(recording: Recording, topic: str) -> FirstImage:
    """The first message of an image topic, read once. Raises RecordingError for a topic without messages."""
    known = _known.setdefault(recording, {})
    if topic not in known:
        kind = recording.topics[topic].type
        first = look_at(topic, kind, recording.first(topic))
        if first.values is not None and not first.values.any():
            first = replace(first, values=_first_values(recording, topic, kind))
        known[topic] = first
    return known[topic]


def _first_values(recording: Recording, topic: str, kind: str) -> np.ndarray | None:
    """Values of the first picture that is not black, as those of depth cameras are that warm up; None if none is."""
    for message in islice(recording.messages([topic]), MOST_BLACK):
        values = look_at(topic, kind, recording.deserialize(message)).values
        if values is not None and values.any():
            return values
    return None


def look_at(topic: str, kind: str, message: Any) -> FirstImage:
    """What a message of the type `kind` (one of IMAGE_TYPES) says about the images of its topic."""
    about = {
        "topic": topic,
        "base": base_name(topic),
        "frame_id": frame_of(message),
        "stamp_ns": stamp_of(message),
    }
    if kind in (FFMPEG_PACKET, COMPRESSED_VIDEO):
        size = (int(message.width), int(message.height)) if kind == FFMPEG_PACKET else None
        encoding = original_encoding(message.encoding) if kind == FFMPEG_PACKET else ""
        channels, bits = _sample(encoding)
        return FirstImage(kind=VIDEO, encoding=encoding, size=size, channels=channels, bits=bits, **about)
    if kind == IMAGE:
        return _look_at_raw(message, about)
    return _look_at_compressed(message, about)


def _look_at_raw(message: Any, about: dict[str, Any]) -> FirstImage:
    encoding, size = message.encoding, (int(message.width), int(message.height))
    if codec_of(encoding):
        return FirstImage(kind=VIDEO, encoding="", size=size, channels=0, bits=0, **about)
    channels, bits = _sample(encoding)
    values = None
    row = 2 * size[0]
    if (channels, bits) == (1, 16) and message.step >= row and len(message.data) >= message.step * size[1] > 0:
        dtype = np.dtype(">u2" if message.is_bigendian else "<u2")
        values = np.ndarray(size[::-1], dtype, buffer=message.data, strides=(message.step, 2))
    return FirstImage(
        kind=RAW, encoding=encoding, size=size, channels=channels, bits=bits, values=_few(values), **about
    )


def _look_at_compressed(message: Any, about: dict[str, Any]) -> FirstImage:
    before, separator, _ = message.format.partition(";")
    encoding = before.strip() if separator else ""
    if not separator and (_16_BITS.fullmatch(before.strip()) or _FLOATS.fullmatch(before.strip())):
        encoding = before.strip()
    if "compresseddepth" in message.format.lower() or about["topic"].endswith("/compressedDepth"):
        return FirstImage(
            kind=COMPRESSED, encoding=encoding, size=None, channels=1, bits=16, is_compressed_depth=True, **about
        )
    channels, bits = _sample(encoding)
    if codec_of(message.format):
        return FirstImage(kind=VIDEO, encoding=encoding, size=None, channels=channels, bits=bits, **about)
    data = np.asarray(message.data, np.uint8)
    size: tuple[int, int] | None = None
    values = None
    if container(data) == "JPEG" and all(header := compressed_size(data)):
        size = header
        # A JPEG holds 8 bits, whatever was converted into it; depth so converted stays depth.
        channels, bits = (1, 16) if encoding.upper() == "16UC1" else (0 if channels == 0 else channels, 8)
    else:
        array = _decoded(data)
        if array is not None:
            size = array.shape[1], array.shape[0]
            channels = 1 if array.ndim == 2 else array.shape[2]
            bits = 8 * array.dtype.itemsize
            values = array if array.dtype == np.uint16 and channels == 1 else None
    return FirstImage(
        kind=COMPRESSED, encoding=encoding, size=size, channels=channels, bits=bits, values=_few(values), **about
    )


def _sample(encoding: str) -> tuple[int, int]:
    """Channels and bits of an encoding's values; 0 for unknown channels."""
    floats = _FLOATS.fullmatch(encoding)
    if floats:
        return int(floats[2] or 1), 32
    if _16_BITS.fullmatch(encoding):
        return 1, 16
    return (1 if encoding in ("mono8", "8UC1", "8SC1") else 0), 8


def _few(values: np.ndarray | None) -> np.ndarray | None:
    """Every n-th row and column, so that what is kept stays small; a copy."""
    if values is None:
        return None
    step = max(1, min(values.shape) // 120)
    return np.array(values[::step, ::step], np.uint16)


def _decoded(data: np.ndarray) -> np.ndarray | None:
    try:
        return read_container(data, "")
    except ImageError:
        return None
