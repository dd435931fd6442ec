# SPDX-License-Identifier: Apache-2.0
"""What the bytes of an image look like, whatever their encoding is called: orders of bytes, mosaics."""

import numpy as np

# Mean change of luma [levels] below which an image shows nothing.
TEXTURE = 1.0
ROWS = 64
# An image of fewer samples is too small to show anything.
MIN_SAMPLES = 1024
# The lead of luma over chroma that is 128 everywhere.
NEUTRAL = 100.0


def luma_lead(pairs: np.ndarray) -> float:
    """How much livelier the second byte of a 4:2:2 image (H, W, 2) is than the first one.

    The ratio of their changes from pixel to pixel, times that of their spreads: clearly above 1 for UYVY, below 1 for
    YUYV, 1 if nothing is to be seen. Luma has the edges and the shades of a scene; chroma is smoother, and
    near the middle.
    """
    rows = pairs[:: max(1, len(pairs) // ROWS)].astype(np.int16)
    if rows.shape[1] < 3 or rows.size < MIN_SAMPLES:
        return 1.0
    neutral, varied = np.abs(rows - 128).max(axis=(0, 1)) <= 1, np.ptp(rows, axis=(0, 1)) > 1
    for chroma, luma in ((0, 1), (1, 0)):  # of a camera without colours, however little is to be seen
        if neutral[chroma] and not neutral[luma] and varied[luma]:
            return NEUTRAL if chroma == 0 else 1.0 / NEUTRAL
    # Two pixels apart both bytes are of the same kind: U beside U, V beside V.
    changes = np.abs(rows[:, 2:] - rows[:, :-2]).mean(axis=(0, 1))
    if changes.max() < TEXTURE:
        return 1.0
    spreads = (rows[:, 0::2].std(axis=(0, 1)) + rows[:, 1::2].std(axis=(0, 1))) / 2
    first, second = (changes + 0.1) * (spreads + 0.1)
    return float(second / first)


def endian_lead(values: np.ndarray) -> float:
    """How much smoother 16-bit values (H, W[, C]) are as they stand than with their bytes swapped; 1 if neither shows.

    Smoothness is the spread of the values over their mean change from pixel to pixel.
    """
    rows = values[:: max(1, len(values) // ROWS)]
    if rows.shape[1] < 3 or rows.size < MIN_SAMPLES:
        return 1.0
    smoothness = []
    for order in (rows, rows.byteswap()):
        numbers = order.astype(np.float32)
        # Two pixels apart, for mosaics.
        change, spread = np.abs(numbers[:, 2:] - numbers[:, :-2]).mean(), numbers.std()
        smoothness.append((spread + 1e-3) / (change + 1e-3))
    if rows.max() == rows.min():
        return 1.0
    return float(smoothness[0] / smoothness[1])


def is_mosaic(gray: np.ndarray) -> bool:
    """Whether a one-channel image (H, W) is the mosaic of a colour camera that saw colours.

    Neighbours of a mosaic differ more than pixels of the same colour, which are two apart, along rows and columns.
    """
    if min(gray.shape) < 4:
        return False
    step = max(1, gray.shape[0] // ROWS)
    rows = gray[::step].astype(np.int32)
    columns = gray[:, :: max(1, gray.shape[1] // ROWS)].astype(np.int32)
    for lines, axis in ((rows, 1), (columns, 0)):
        near = np.abs(np.diff(lines, axis=axis)).mean()
        far = np.abs(lines[:, 2:] - lines[:, :-2] if axis else lines[2:] - lines[:-2]).mean()
        if near < 1.5 * far + 2.0:
            return False
    return True
