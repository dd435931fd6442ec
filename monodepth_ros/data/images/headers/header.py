# SPDX-License-Identifier: Apache-2.0
"""What the header of a compressed picture claims."""

from dataclasses import dataclass

# A picture of fewer pixels costs little, so its data may be as short as it likes.
SMALL = 1 << 24


@dataclass(frozen=True)
class PictureHeader:
    """The claims of a header, none of them checked.

    kind: name of the format. width, height: [pixels]. pixel_bytes: of a pixel as OpenCV hands it out. kept: what its
    reader keeps beside the picture [bytes]. least_bytes: length of the shortest data that can hold a picture of this
    size; 0 where the format has no such bound.
    """

    kind: str
    width: int
    height: int
    pixel_bytes: int
    kept: int = 0
    least_bytes: int = 0

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.width * self.height

    @property
    def memory(self) -> int:
        """What decoding takes [bytes]: the picture twice, because OpenCV copies it for Python, or beside `kept`."""
        return self.pixels * self.pixel_bytes + max(self.pixels * self.pixel_bytes, self.kept)


class UnreadFeature(Exception):
    """A form of a known format that is not read. The text completes 'is a ...'."""


def number(data: memoryview, at: int, length: int, order: str = "big") -> int:
    """An unsigned number of `length` bytes. Raises IndexError beyond the end."""
    if at < 0 or at + length > len(data):
        raise IndexError("a header ends early")
    return int.from_bytes(data[at : at + length], "little" if order == "little" else "big")
