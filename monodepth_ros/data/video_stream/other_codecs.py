# SPDX-License-Identifier: Apache-2.0
"""Key frames of H.265, AV1, VP8 and VP9 packets, found without decoding them."""

from collections.abc import Iterator
from typing import NamedTuple

from monodepth_ros.data.video_stream.bits import BitReader, nal_units
from monodepth_ros.data.video_stream.codecs import AV1, HEVC, VP9

# H.265, table 7-1: pictures, those that decoding can begin with, leading pictures of such a one, parameter sets.
_PICTURES, _ENTRIES, _LEADING, _SETS = range(32), range(16, 24), (8, 9), (32, 33, 34)
# AV1, section 6.2.2.
_SEQUENCE_HEADER, _FRAME_HEADER, _FRAME = 1, 3, 6


class Content(NamedTuple):
    """What a packet holds. is_leading: it needs pictures before the key frame that it follows."""

    has_picture: bool
    is_key: bool
    is_leading: bool = False
    parameter_sets: bytes = b""


def content_of(codec: str, data: bytes) -> Content:
    """Content of a packet of any codec but H.264. Raises ValueError for bytes that are not of the codec."""
    if not data:
        return Content(False, False)
    if codec == HEVC:
        return _hevc(data)
    if codec == AV1:
        kinds = list(_obus(data))
        has_picture = any(kind in (_FRAME, _FRAME_HEADER) for kind, _ in kinds)
        # An encoder repeats the sequence header at each key frame.
        first = next((content for kind, content in kinds if kind in (_FRAME, _FRAME_HEADER)), b"\xff")
        bits = BitReader(first[:1])
        is_key = not bits.u(1) and bits.u(2) == 0
        return Content(has_picture, is_key and any(kind == _SEQUENCE_HEADER for kind, _ in kinds))
    if codec == VP9:
        bits = BitReader(data[:2])
        if bits.u(2) != 2:
            raise ValueError("no VP9 frame")
        profile = bits.u(1) + 2 * bits.u(1)
        if profile == 3:
            bits.u(1)
        return Content(True, not bits.u(1) and not bits.u(1))
    return Content(True, not data[0] & 1)


def _hevc(data: bytes) -> Content:
    sets = b""
    for unit in nal_units(data):
        kind = unit[0] >> 1 & 63
        if kind in _SETS:
            sets += b"\x00\x00\x00\x01" + unit
        elif kind in _PICTURES:
            return Content(True, kind in _ENTRIES, kind in _LEADING, sets)
    return Content(False, False, False, sets)


def _obus(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(type, content) of each open bitstream unit (AV1, section 5.3)."""
    at = 0
    while at < len(data):
        kind, has_extension, has_size = data[at] >> 3 & 15, data[at] >> 2 & 1, data[at] >> 1 & 1
        at += 1 + has_extension
        size = len(data) - at
        if has_size:
            size, shift = 0, 0
            while True:
                if at >= len(data) or shift > 28:
                    raise ValueError("no AV1 unit")
                byte = data[at]
                size, shift, at = size | (byte & 127) << shift, shift + 7, at + 1
                if not byte & 128:
                    break
        if size > len(data) - at:
            raise ValueError("an AV1 unit ends early")
        yield kind, data[at : at + size]
        at += size
