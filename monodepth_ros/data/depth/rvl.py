# SPDX-License-Identifier: Apache-2.0
"""RVL, a fast lossless code of depth images (Wilson 2017, Fast Lossless Depth Image Compression).

An image is uint32 columns, uint32 rows, then numbers in 4-bit words: the lengths of a run of zeros and of a run of
others, then those others, each as its difference from the one before, with the sign in the lowest bit. A word holds
three bits of a number, the lowest ones first; its fourth bit marks that the number goes on. Eight words fill a uint32
from its upper end.
"""

import numpy as np

from monodepth_ros.data.images.image_codec import ImageError
from monodepth_ros.limits import LONGEST_SIDE, MOST_RVL_PIXELS

LONGEST_CODE = 3  # bytes of a pixel: six words, of which a value of 17 bits has as many
MOST_WORDS = 10  # of a number
_SHIFTS = np.arange(28, -4, -4, dtype=np.uint32)


def encode_rvl(counts: np.ndarray) -> np.ndarray:
    """RVL, uint8 (N,), of counts (H, W) uint16."""
    flat = counts.reshape(-1).astype(np.int32)
    is_filled = flat != 0
    starts = np.flatnonzero(np.diff(is_filled, prepend=False, append=False))  # of filled runs, and their ends
    begins, ends = starts[0::2], starts[1::2]
    differences = np.diff(flat[is_filled], prepend=0)
    zigzag = (differences << 1) ^ (differences >> 31)
    # Each run has two numbers before its values: the zeros before it, and its length.
    lengths = ends - begins
    zeros = begins - np.concatenate(([0], ends[:-1]))[: len(begins)]
    places = np.arange(len(zigzag)) + 2 * (1 + np.repeat(np.arange(len(begins)), lengths))
    heads = np.concatenate(([0], np.cumsum(lengths)[:-1]))[: len(begins)].astype(np.int64) + 2 * np.arange(len(begins))
    rest = flat.size - (int(ends[-1]) if len(ends) else 0)
    numbers = np.empty(len(zigzag) + 2 * len(begins) + (2 if rest else 0), np.int32)
    numbers[places], numbers[heads], numbers[heads + 1] = zigzag, zeros, lengths
    if rest:
        numbers[-2:] = rest, 0
    head = np.array(counts.shape[::-1], "<u4").view(np.uint8)
    return np.concatenate((head, _words(numbers)))


def _words(numbers: np.ndarray) -> np.ndarray:
    """The 4-bit words of numbers, as bytes."""
    sizes = np.ones(len(numbers), np.int32)
    for bits in range(3, 31, 3):
        larger = numbers >= 1 << bits
        if not larger.any():
            break
        sizes += larger
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    words = np.zeros(-(-total // 8) * 8, np.uint8)
    left, place = numbers, ends - sizes
    while len(left):
        goes_on = left > 7
        words[place] = (left & 7) | (goes_on << 3)
        left, place = left[goes_on] >> 3, place[goes_on] + 1
    # Two words a byte, four bytes a little-endian number.
    packed = (words[0::2] << 4) | words[1::2]
    return packed.reshape(-1, 4)[:, ::-1].reshape(-1)


def decode_rvl(data: np.ndarray) -> np.ndarray:
    """Counts (H, W) uint16 of an RVL image, uint8 (N,). Raises ImageError for missing data and an impossible size."""
    if len(data) < 8:
        raise ImageError(f"RVL depth of {len(data)} bytes: expected the size of the image and its data")
    columns, rows = (int(side) for side in data[:8].copy().view("<u4"))
    size = columns * rows
    if size > MOST_RVL_PIXELS or max(columns, rows) > LONGEST_SIDE:
        raise ImageError(f"RVL depth of {columns}x{rows} pixels in {len(data)} bytes: the data is damaged")
    data = data[: 64 + LONGEST_CODE * size]  # what follows is padding
    words = data[8 : 8 + (len(data) - 8) // 4 * 4].copy().view("<u4")
    nibbles = (words[:, None] >> _SHIFTS & 15).ravel().astype(np.int64)
    ends = np.flatnonzero(nibbles < 8)
    starts = np.concatenate(([0], ends[:-1] + 1))
    place = np.arange(len(nibbles)) - np.repeat(starts, np.diff(starts, append=len(nibbles)))
    shifts = 3 * np.minimum(place, MOST_WORDS)  # a longer number is too large for anything, and stays positive
    numbers = np.add.reduceat((nibbles & 7) << shifts, starts) if len(ends) else np.zeros(0, np.int64)
    done = pixel = 0
    places, zigzag = [], []
    while pixel < size:
        if done + 2 > len(numbers):
            raise ImageError(f"RVL depth ends after {pixel} of {size} pixels")
        zeros, filled = (int(number) for number in numbers[done : done + 2])
        pixel += zeros
        if pixel + filled > size or zeros + filled == 0:
            break
        places.append(np.arange(pixel, pixel + filled))
        zigzag.append(numbers[done + 2 : done + 2 + filled])
        done, pixel = done + 2 + filled, pixel + filled
    where, packed = np.concatenate([*places, []]).astype(np.int64), np.concatenate([*zigzag, []]).astype(np.int64)
    if len(where) != len(packed) or pixel < size:
        raise ImageError(f"RVL depth of {columns}x{rows} pixels with runs of another length: the data is damaged")
    counts = np.zeros(size, np.uint16)
    counts[where] = np.cumsum((packed >> 1) ^ -(packed & 1)).astype(np.uint16)
    return counts.reshape(rows, columns)
