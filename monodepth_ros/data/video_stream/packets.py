# SPDX-License-Identifier: Apache-2.0
"""Messages with video to packets: codec, bytes and what can be told about them without decoding.

Works on rclpy's messages and on those of recordings alike.
"""

from dataclasses import dataclass
from typing import Any

from monodepth_ros.data.images.image_codec import ImageError
from monodepth_ros.data.video_stream.bits import with_start_codes
from monodepth_ros.data.video_stream.codecs import H264, HEVC, TITLES, codec_of
from monodepth_ros.data.video_stream.h264 import H264Parser
from monodepth_ros.data.video_stream.other_codecs import content_of
from monodepth_ros.stamps import nanoseconds

# FFMPEGPacket.flags
CORRUPT_FLAG = 2


@dataclass(frozen=True)
class Packet:
    """One packet of a stream. data: bytes with start codes where the codec has them.

    has_picture: False for parameter sets alone. is_key: decoding can begin with it. is_gradual: the first whole picture
    may come some packets later (a recovery point of H.264). is_leading: it needs pictures from before the key frame
    that it follows. is_after_gap: the stream says that a picture is missing before it. is_corrupt:
    its sender says that it is damaged. number: the encoder's count of pictures, None if the message has none.
    parameter_sets: those of the stream so far.
    """

    codec: str
    data: bytes
    stamp_ns: int
    has_picture: bool
    is_key: bool
    is_gradual: bool = False
    is_leading: bool = False
    is_after_gap: bool = False
    is_corrupt: bool = False
    number: int | None = None
    parameter_sets: bytes = b""


def video_format(message: Any) -> str:
    """What a message calls its contents: the format of a picture or video, or the encoding of a raw image."""
    return str(getattr(message, "format", None) or getattr(message, "encoding", ""))


def is_video(message: Any) -> bool:
    """Whether an image message holds a packet of video."""
    return bool(codec_of(video_format(message)))


def stamp_ns(message: Any) -> int:
    """The stamp of a message with video [ns]."""
    return nanoseconds(message.timestamp if hasattr(message, "timestamp") else message.header.stamp)


def frame_id(message: Any) -> str:
    """The coordinate frame of an image message of any type."""
    return str(message.frame_id if hasattr(message, "timestamp") else message.header.frame_id)


class PacketParser:
    """Parser of the messages of one stream, in their order. Raises ImageError for messages that hold no known video.

    offset_ns: of the stamps from the receive times, for packets without a stamp.
    """

    def __init__(self, offset_ns: int = 0) -> None:
        self.offset_ns = offset_ns
        self._codec = ""
        self._h264 = H264Parser()
        self._parameter_sets = b""

    def parse(self, message: Any) -> Packet:
        """The packet of a message. Raises ImageError."""
        named = video_format(message)
        codec = codec_of(named)
        if not codec:
            raise ImageError(f"video of format {named!r}: expected one of {', '.join(TITLES.values())}")
        if codec != self._codec:
            self._codec, self._h264, self._parameter_sets = codec, H264Parser(), b""
        data = bytes(message.data)
        number, flags = getattr(message, "pts", None), getattr(message, "flags", 0)
        known = {
            "stamp_ns": stamp_ns(message),
            "number": None if number is None else int(number),
            "is_corrupt": bool(flags & CORRUPT_FLAG),
        }
        try:
            return self._parse(codec, data, known)
        except (ValueError, IndexError):
            return Packet(codec, data, has_picture=True, is_key=False, **(known | {"is_corrupt": True}))

    def _parse(self, codec: str, data: bytes, known: dict[str, Any]) -> Packet:
        if codec in (H264, HEVC):
            data = with_start_codes(data)
        if codec == H264:
            picture, is_key = self._h264.parse(data)
            gap = picture is not None and self._h264.has_gap(picture, is_key)
            sets = self._h264.parameter_sets
            about = {"is_gradual": is_key and not picture.is_idr, "is_after_gap": gap, "parameter_sets": sets}
            return Packet(codec, data, has_picture=picture is not None, is_key=is_key, **about, **known)
        content = content_of(codec, data)
        self._parameter_sets = content.parameter_sets or self._parameter_sets
        about = {"is_leading": content.is_leading, "parameter_sets": self._parameter_sets}
        return Packet(codec, data, has_picture=content.has_picture, is_key=content.is_key, **about, **known)
