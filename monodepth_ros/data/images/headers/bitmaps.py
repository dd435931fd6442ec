# SPDX-License-Identifier: Apache-2.0
"""The headers of pictures that are stored as they are: BMP, and the portable ones PBM, PGM, PPM, PAM and PFM."""

import re

from monodepth_ros.data.images.headers.header import PictureHeader, UnreadFeature, number

_OLD_BMP = 12  # bytes of the header of OS/2
_PLAIN, _RUNS_8, _RUNS_4, _MASKS = 0, 1, 2, 3
LONGEST_RUN = 255  # pixels in two bytes
PORTABLE_HEADS = (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"P7", b"Pf", b"PF")
_HEAD_BYTES = 1 << 16  # comments of programs are in it
_NUMBERS = re.compile(rb"P[1-6Ff]" + 2 * rb"(?:\s|#[^\n]*\n)+(\d{1,9})" + rb"(?:(?:\s|#[^\n]*\n)+(\d{1,9}))?")
_FIELD = re.compile(rb"^(WIDTH|HEIGHT|DEPTH|MAXVAL)\s+(\d{1,9})\s*$", re.MULTILINE)


def bmp_header(data: memoryview) -> PictureHeader | None:
    """The header of a BMP; None if it is damaged. Raises UnreadFeature for pictures compressed by another format."""
    size = number(data, 14, 4, "little")
    if size == _OLD_BMP:
        width, height = number(data, 18, 2, "little"), number(data, 20, 2, "little")
        bits, packing = number(data, 24, 2, "little"), _PLAIN
    else:
        width, height = _signed(number(data, 18, 4, "little")), abs(_signed(number(data, 22, 4, "little")))
        bits, packing = number(data, 28, 2, "little"), number(data, 30, 4, "little")
    if bits not in (1, 4, 8, 16, 24, 32) or width < 0 or size < _OLD_BMP:
        return None
    if packing not in (_PLAIN, _RUNS_8, _RUNS_4, _MASKS):
        raise UnreadFeature(f"BMP of compression {packing}")
    rows = -(-width * bits // 32) * 4 * height
    # The last rows of some writers lack their padding.
    least = rows - 4 * height if packing in (_PLAIN, _MASKS) else 2 * width * height // LONGEST_RUN
    return PictureHeader("BMP", width, height, 4 if bits == 32 else 3, least_bytes=max(0, least))


def portable_header(data: memoryview) -> PictureHeader | None:
    """The header of a PBM, PGM, PPM, PAM or PFM; None if it is damaged."""
    head = bytes(data[:_HEAD_BYTES])
    if head[:2] == b"P7":
        fields = {name: int(value) for name, value in _FIELD.findall(head.partition(b"ENDHDR")[0])}
        if len(fields) < 4:
            return None
        width, height, channels, largest = (fields[name] for name in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL"))
        return _portable("PAM", (width, height), channels, 8 if largest < 256 else 16, is_text=False)
    found = _NUMBERS.match(head)
    if found is None:
        return None
    size, kind = (int(found[1]), int(found[2])), head[1:2]
    if kind in b"fF":
        return _portable("PFM", size, 3 if kind == b"F" else 1, 32, is_text=False)
    channels = 3 if kind in b"36" else 1
    if kind in b"14":
        return _portable("PBM", size, 1, 1, is_text=kind == b"1")
    bits = 8 if int(found[3] or 255) < 256 else 16
    return _portable("PPM" if channels == 3 else "PGM", size, channels, bits, is_text=kind in b"23")


def _portable(kind: str, size: tuple[int, int], channels: int, bits: int, is_text: bool) -> PictureHeader | None:
    width, height = size
    if not 1 <= channels <= 4:
        return None
    values = width * height * channels
    # Of text, each value has a digit, and a space that only PBM leaves out.
    least = values * (1 if bits == 1 else 2) - 1 if is_text else height * -(-width * channels * bits // 8)
    return PictureHeader(kind, width, height, channels * max(1, bits // 8), least_bytes=max(0, least))


def _signed(value: int) -> int:
    return value - (1 << 32) if value >= 1 << 31 else value
