"""Antialiased Lanczos-3 resizing, which OpenCV lacks (its INTER_LANCZOS4 does not widen when it shrinks).

Networks trained on images shrunk this way want to be fed so. The kernel is sinc(x) sinc(x/3) for |x| < 3,
widened by the shrink factor and normalised at the borders; the result agrees with Pillow's LANCZOS to its
rounding (Pillow rounds to 8 bits between the two passes, this does not).
"""

from functools import lru_cache

import numpy as np

SUPPORT = 3.0
BLOCK = 32  # output pixels computed by one product: the taps of neighbours overlap


def lanczos_resize(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """uint8 or float32 (H, W) or (H, W, C) to (height, width, ...) of the same type."""
    rows = _filter_rows(np.asarray(image, np.float32), height)
    columns = np.ascontiguousarray(np.moveaxis(rows, 1, 0))
    result = np.moveaxis(_filter_rows(columns, width), 0, 1)
    if image.dtype == np.uint8:
        result = np.clip(np.rint(result), 0, 255)
    return np.ascontiguousarray(result, dtype=image.dtype)


def _filter_rows(image: np.ndarray, size: int) -> np.ndarray:
    if image.shape[0] == size:
        return image
    flat = image.reshape(image.shape[0], -1)
    result = np.empty((size, flat.shape[1]), np.float32)
    for start, stop, first, last, weights in _weights(image.shape[0], size):
        np.matmul(weights, flat[first:last], out=result[start:stop])
    return result.reshape(size, *image.shape[1:])


@lru_cache(maxsize=16)
def _weights(old: int, new: int) -> list[tuple[int, int, int, int, np.ndarray]]:
    """Per block of outputs: its range, the range of inputs it needs, and the (outputs, inputs) weights."""
    scale = old / new
    widening = max(scale, 1.0)
    blocks = []
    for start in range(0, new, BLOCK):
        stop = min(start + BLOCK, new)
        centres = (np.arange(start, stop) + 0.5) * scale - 0.5
        first = max(0, int(np.floor(centres[0] - SUPPORT * widening)))
        last = min(old, int(np.ceil(centres[-1] + SUPPORT * widening)) + 1)
        x = (np.arange(first, last) - centres[:, None]) / widening
        weights = np.where(np.abs(x) < SUPPORT, np.sinc(x) * np.sinc(x / SUPPORT), 0.0)
        weights /= weights.sum(axis=1, keepdims=True)
        blocks.append((start, stop, first, last, weights.astype(np.float32)))
    return blocks
