# SPDX-License-Identifier: Apache-2.0
"""Random fields, from which all textures are made."""

import cv2
import numpy as np


def fractal_noise(
    rng: np.random.Generator,
    height: int,
    width: int,
    cells: tuple[int, int] = (4, 4),
    octaves: int = 5,
    gain: float = 0.5,
) -> np.ndarray:
    """Seamless noise (height, width) float32 with mean 0 and standard deviation 1.

    The noise is a sum of random grids, one an octave. The first has `cells` (rows, columns); each of the others has
    cells of half the size and `gain` times the amplitude of the one before. All sizes must be powers of two.
    """
    rows, columns = min(cells[0], height), min(cells[1], width)
    total = rng.standard_normal((rows, columns), np.float32)
    strength = 1.0
    while rows < height or columns < width:
        total = _doubled(total, rows < height, columns < width)
        rows, columns = total.shape
        octaves, strength = octaves - 1, strength * gain
        if octaves > 0:
            total += np.float32(strength) * rng.standard_normal((rows, columns), np.float32)
    return (total - total.mean()) / max(float(total.std()), 1e-6)


def _doubled(field: np.ndarray, vertically: bool, horizontally: bool) -> np.ndarray:
    """The field at twice the size in the chosen directions, by cubic interpolation that wraps around."""
    rows, columns = field.shape
    padded = np.pad(field, 3, mode="wrap")
    y, x = 1 + vertically, 1 + horizontally
    large = cv2.resize(padded, None, fx=x, fy=y, interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(large[3 * y : 3 * y + rows * y, 3 * x : 3 * x + columns * x])


def colored(value: np.ndarray, color: tuple[float, float, float]) -> np.ndarray:
    """(H, W, 3) float32: a brightness (H, W) around 1 times an RGB colour (0..255)."""
    return value[..., None] * np.asarray(color, np.float32)


def to_pixels(image: np.ndarray) -> np.ndarray:
    """Round floats of 0..255 to uint8."""
    return np.clip(image + 0.5, 0, 255).astype(np.uint8)
