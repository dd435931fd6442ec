# SPDX-License-Identifier: Apache-2.0
"""Antialiased Lanczos-3 resizing, which OpenCV lacks: its INTER_LANCZOS4 does not widen the kernel to shrink an image.

A network that was trained on images resized this way needs the same filter at run time. The kernel is sinc(x) sinc(x/3)
for |x| < 3, widened by the shrink factor and normalised at the borders. As in Pillow's LANCZOS, the width is resized
first, and 8-bit images are rounded and clipped between the two passes, which changes hard edges by many grey levels.
"""

from functools import lru_cache

import numpy as np

SUPPORT = 3.0
BLOCK = 32  # output pixels per matrix product; neighbours share most of their input pixels


def lanczos_resize(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize a uint8 or float32 image (H, W) or (H, W, C) to (height, width, ...); keeps the type."""
    columns = np.array(np.moveaxis(image, 1, 0), np.float32, order="C")
    columns = _quantised(_filter_rows(columns, width), image.dtype)
    rows = np.ascontiguousarray(np.moveaxis(columns, 0, 1))
    return _quantised(_filter_rows(rows, height), image.dtype).astype(image.dtype)


def _quantised(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype == np.uint8:
        np.clip(np.rint(values, out=values), 0, 255, out=values)
    return values


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
    """For each block of outputs: its range, the range of its inputs, and the weights (outputs, inputs)."""
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
