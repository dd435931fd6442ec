# SPDX-License-Identifier: Apache-2.0
"""The header of a TIFF (TIFF 6.0) or BigTIFF: that of its first picture, the one that is read."""

from dataclasses import dataclass

from monodepth_ros.data.images.headers.header import PictureHeader, UnreadFeature, number

HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _ORIENTATION = 256, 257, 258, 259, 274
_SAMPLES, _ROWS, _TILE_WIDTH, _TILE_HEIGHT = 277, 278, 322, 323
_TAGS = {_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _ORIENTATION, _SAMPLES, _ROWS, _TILE_WIDTH, _TILE_HEIGHT}
_SIZES = {1: 1, 3: 2, 4: 4, 16: 8}  # bytes of BYTE, SHORT, LONG and LONG8
_SHORT = 3
_PLAIN = 1
# How many bytes come out of one by each way of packing, at most: none, LZW (whose codes of 12 bits stand for 3838 bytes
# in the end), JPEG, Deflate under both its numbers, PackBits.
_MOST_PACKED = {_PLAIN: 1, 5: 2000, 7: 2000, 8: 1040, 32946: 1040, 32773: 64}
MOST_ENTRIES = 1000  # of a directory; microscopes write 60


@dataclass(frozen=True)
class _Layout:
    """Where a directory has its numbers. entry: bytes of one; wide: bytes of counts and offsets."""

    order: str
    start: int
    count_bytes: int
    entry: int
    wide: int


def tiff_header(data: memoryview) -> PictureHeader | None:
    """The header of a TIFF; None if it is damaged. Raises UnreadFeature for rare kinds of packing and of samples."""
    found = _directory(data)
    width, height = found.get(_WIDTH, 0), found.get(_HEIGHT, 0)
    bits, samples, packing = found.get(_BITS, 1), found.get(_SAMPLES, 1), found.get(_COMPRESSION, _PLAIN)
    if packing not in _MOST_PACKED:
        raise UnreadFeature(f"TIFF of compression {packing}, of which none, LZW, Deflate, PackBits and JPEG are read")
    if bits not in (1, 2, 4, 8, 16, 32, 64) or not 1 <= samples <= 4:
        raise UnreadFeature(f"TIFF of {samples} samples of {bits} bits")
    # Colours of a palette come out as three bytes.
    rows, pixel = -(-width * samples * bits // 8), max(3, samples * -(-bits // 8))
    # A tile or a strip is unpacked as a whole, and may be larger than the picture.
    tile = found.get(_TILE_WIDTH, width), found.get(_TILE_HEIGHT, min(height, found.get(_ROWS, height)))
    kept = pixel * max(1, tile[0]) * max(1, tile[1])
    return PictureHeader("TIFF", width, height, pixel, kept, rows * height // _MOST_PACKED[packing])


def orientation_at(data: memoryview) -> tuple[int, str] | None:
    """Position of the orientation of a TIFF's first picture, and its byte order; None if it has none."""
    try:
        layout = _layout(data)
        for at, tag in _entries(data, layout):
            if tag == _ORIENTATION and number(data, at + 2, 2, layout.order) == _SHORT:
                return at + 4 + layout.wide, layout.order
    except (IndexError, UnreadFeature):
        pass
    return None


def _layout(data: memoryview) -> _Layout:
    order = "little" if data[0] == ord("I") else "big"
    if number(data, 2, 2, order) == 42:
        return _Layout(order, number(data, 4, 4, order), 2, 12, 4)
    return _Layout(order, number(data, 8, 8, order), 8, 20, 8)


def _entries(data: memoryview, layout: _Layout) -> list[tuple[int, int]]:
    """(position, tag) of each entry of the first directory. Raises IndexError for one that ends early."""
    count = number(data, layout.start, layout.count_bytes, layout.order)
    if count > MOST_ENTRIES:
        raise UnreadFeature(f"TIFF with {count} entries in its directory")
    first = layout.start + layout.count_bytes
    places = range(first, first + count * layout.entry, layout.entry)
    return [(at, number(data, at, 2, layout.order)) for at in places]


def _directory(data: memoryview) -> dict[int, int]:
    """The numbers of _TAGS in the first directory; of several values the largest."""
    layout, found = _layout(data), dict[int, int]()
    for at, tag in _entries(data, layout):
        size = _SIZES.get(number(data, at + 2, 2, layout.order), 0)
        if tag not in _TAGS or not size:
            continue
        if tag in found:
            raise UnreadFeature(f"TIFF whose directory has tag {tag} twice")
        count, value = number(data, at + 4, layout.wide, layout.order), at + 4 + layout.wide
        if count * size > layout.wide:
            value = number(data, value, layout.wide, layout.order)
        values = [number(data, value + size * i, size, layout.order) for i in range(min(count, 8))]
        found[tag] = max(values, default=0)
    return found
