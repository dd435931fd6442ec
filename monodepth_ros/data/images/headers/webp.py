# SPDX-License-Identifier: Apache-2.0
"""The header of a WebP (RFC 9649)."""

from monodepth_ros.data.images.headers.header import SMALL, PictureHeader, UnreadFeature, number

# Pixels in a byte of a large picture: a black one of libwebp has 562 by the lossy codec, 26 000 by the other one.
MOST_LOSSY, MOST_LOSSLESS = 4096, 32768
_ANIMATION = 0x02
MOST_CHUNKS = 100


def webp_header(data: memoryview) -> PictureHeader | None:
    """The header of a WebP, lossy, lossless or extended; None if it is damaged. Raises UnreadFeature for an animation.

    An extended one states a size twice; the larger number counts.
    """
    at, canvas, has_alpha = 12, (0, 0), False
    for _ in range(MOST_CHUNKS):
        name, length = bytes(data[at : at + 4]), number(data, at + 4, 4, "little")
        body = at + 8
        if name == b"VP8X":
            if data[body] & _ANIMATION:
                raise UnreadFeature("animated WebP, not a picture; give its images one by one or as a video")
            canvas = _plus_one(data, body + 4, 24), _plus_one(data, body + 7, 24)
        elif name == b"ALPH":  # codespell:ignore alph
            has_alpha = True
        elif name == b"VP8 ":
            if bytes(data[body + 3 : body + 6]) != b"\x9d\x01\x2a":
                return None
            size = number(data, body + 6, 2, "little") & 0x3FFF, number(data, body + 8, 2, "little") & 0x3FFF
            return _header(size, canvas, 4 if has_alpha else 3, MOST_LOSSY)
        elif name == b"VP8L":
            if data[body] != 0x2F:
                return None
            sides = number(data, body + 1, 4, "little")
            size = (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1
            return _header(size, canvas, 4, MOST_LOSSLESS)
        at = body + length + length % 2
    return None


def _header(size: tuple[int, int], canvas: tuple[int, int], pixel_bytes: int, most: int) -> PictureHeader:
    width, height = max(size[0], canvas[0]), max(size[1], canvas[1])
    pixels = width * height
    return PictureHeader("WebP", width, height, pixel_bytes, 4 * pixels, pixels // most if pixels > SMALL else 0)


def _plus_one(data: memoryview, at: int, bits: int) -> int:
    return number(data, at, bits // 8, "little") + 1
