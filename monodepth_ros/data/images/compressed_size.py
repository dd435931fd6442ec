# SPDX-License-Identifier: Apache-2.0
"""The size of a JPEG or PNG image from its header, without decoding it."""

from collections.abc import Sequence

_PNG = b"\x89PNG\r\n\x1a\n"
# JPEG markers of a frame header, which holds the size: SOF0 to SOF15 without DHT, JPG and DAC.
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def compressed_size(data: Sequence[int]) -> tuple[int, int]:
    """(width, height) of JPEG or PNG bytes (N,) in pixels; (0, 0) if the header is damaged or of another format.

    data: bytes, or an array of unsigned bytes; it is not copied.
    """
    if len(data) >= 24 and bytes(data[:8]) == _PNG:
        return _number(data, 16, 4), _number(data, 20, 4)
    if len(data) < 4 or (data[0], data[1]) != (0xFF, 0xD8):
        return 0, 0
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        if data[at + 1] == 0xFF:  # fill byte
            at += 1
            continue
        if data[at + 1] in _FRAMES:
            return _number(data, at + 7, 2), _number(data, at + 5, 2)
        at += 2 + _number(data, at + 2, 2)
    return 0, 0


def _number(data: Sequence[int], at: int, length: int) -> int:
    return int.from_bytes(bytes(data[at : at + length]), "big")
