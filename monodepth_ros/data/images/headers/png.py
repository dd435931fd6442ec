# SPDX-License-Identifier: Apache-2.0
"""The header of a PNG (ISO/IEC 15948, clause 11)."""

from monodepth_ros.data.images.headers.header import PictureHeader, UnreadFeature, number

HEAD = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type: grey, RGB, palette, grey and alpha, RGB and alpha
_PALETTE = 3
# Deflate stores 258 bytes in 2 bits at best (RFC 1951); the rest is for the rounding of other encoders.
MOST_DEFLATED = 1040
# Encoders write chunks of 8 kB or more, and some 20 small ones.
MOST_CHUNKS = 100_000


def png_header(data: memoryview) -> PictureHeader | None:
    """The header of a PNG; None if it is damaged."""
    if bytes(data[12:16]) != b"IHDR":
        return None
    width, height, bits, kind = number(data, 16, 4), number(data, 20, 4), data[24], data[25]
    if kind not in _CHANNELS or bits not in (1, 2, 4, 8, 16):
        return None
    raw = height * (1 + -(-width * _CHANNELS[kind] * bits // 8))
    channels = 3 if kind == _PALETTE else _CHANNELS[kind]
    pixel_bytes = (4 if channels == 2 else channels) * (2 if bits == 16 else 1)
    return PictureHeader("PNG", width, height, pixel_bytes, least_bytes=raw // MOST_DEFLATED)


def has_whole_chunks(data: memoryview) -> bool:
    """Whether all chunks of a PNG lie within its data, to its end chunk. OpenCV allocates by the lengths they claim.

    Raises UnreadFeature for an animation.
    """
    at = 8
    for _ in range(MOST_CHUNKS):
        if at + 12 > len(data):
            return False
        name = bytes(data[at + 4 : at + 8])
        if name == b"acTL":
            raise UnreadFeature("animated PNG, not a picture; give its images one by one or as a video")
        at += 12 + number(data, at, 4)
        if name == b"IEND":
            return at <= len(data)
    return False
