# SPDX-License-Identifier: Apache-2.0
"""Bits of coded streams: numbers in headers, and NAL units (ITU-T H.264, clause 7 and annex B; H.265 alike)."""

import re
from collections.abc import Iterator

MOST_UNITS = 10_000  # of a packet; one for each row of a picture is a hundred

_START_CODE = re.compile(b"\x00\x00\x01")
_ESCAPE = re.compile(b"\x00\x00\x03")


class BitReader:
    """Reads numbers from the bits of bytes, the highest bit first. Raises ValueError beyond the end."""

    def __init__(self, data: bytes):
        self._value, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def u(self, count: int) -> int:
        """An unsigned number of `count` bits."""
        if count > self._left:
            raise ValueError("a header ends early")
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def golomb(self) -> int:
        """An unsigned Exp-Golomb number."""
        zeros = 0
        while not self.u(1):
            zeros += 1
        return (1 << zeros) - 1 + self.u(zeros)

    def signed_golomb(self) -> int:
        """A signed Exp-Golomb number."""
        code = self.golomb()
        return (code + 1) // 2 if code % 2 else -(code // 2)


def nal_units(data: bytes) -> Iterator[bytes]:
    """The NAL units of a byte stream, without their start codes. Raises ValueError for more than a picture can have."""
    starts = [match.end() for match in _START_CODE.finditer(data)]
    if len(starts) > MOST_UNITS:
        raise ValueError(f"a packet of {len(starts)} units")
    for begin, following in zip(starts, [start - 3 for start in starts[1:]] + [len(data)]):
        if begin < following:
            yield data[begin:following]


def payload(unit: bytes, header: int, limit: int = 128) -> bytes:
    """The first bytes of a NAL unit after its header, without the bytes that escape start codes."""
    return _ESCAPE.sub(b"\x00\x00", unit[header : header + limit])


def with_start_codes(data: bytes) -> bytes:
    """A byte stream (annex B) of NAL units; those that follow their lengths of four bytes, as in MP4, are rewritten."""
    if data[:3] == b"\x00\x00\x01" or data[:4] == b"\x00\x00\x00\x01":
        return data
    units, at = [], 0
    while at + 4 < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if not 0 < length <= len(data) - at - 4:
            return data
        units.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return b"".join(b"\x00\x00\x00\x01" + unit for unit in units) if units and at == len(data) else data
