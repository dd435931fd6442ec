# SPDX-License-Identifier: Apache-2.0
"""All textures on one sheet, with reductions in both directions against aliasing of distant surfaces.

A street's surfaces are seen at grazing angles, compressed along one of their own axes, and an ordinary mip map would
blur the other axis as well. A rip map (anisotropic mip map) holds every combination of reductions by 2^i across and 2^j
down. It takes four times the memory and a single bilinear look-up.
"""

from dataclasses import dataclass

import cv2
import numpy as np

LEVELS = 8  # reductions by 1 to 2^7


@dataclass(frozen=True)
class Texture:
    """A picture that repeats in both directions.

    pixels: (H, W, 3) uint8 RGB, H and W powers of two. size: width and height that one copy covers [m]. alpha: (H, W)
    uint8 opacity, or None for an opaque picture.
    """

    pixels: np.ndarray
    size: tuple[float, float]
    alpha: np.ndarray | None = None


class Atlas:
    """The sheet of all textures and its reductions.

    sheet: (2 H, 2 W, 3) uint8. Level (i, j), reduced by 2^i across and 2^j down, begins at column 2 W (1 - 2^-i) and
    row 2 H (1 - 2^-j). rectangles: (textures, 4) x, y, width, height on level (0, 0). max_levels: (textures, 2) largest
    i and j.
    """

    def __init__(self, textures: list[Texture]) -> None:
        self.rectangles, width, height = pack([texture.pixels.shape[1::-1] for texture in textures])
        base = np.zeros((height, width, 3), np.uint8)
        for texture, (x, y, w, h) in zip(textures, self.rectangles, strict=True):
            base[y : y + h, x : x + w] = texture.pixels
        self.sheet = _reduce(base)
        self.rectangles = self.rectangles.astype(np.float32)
        self.max_levels = np.minimum(np.log2(self.rectangles[:, 2:]), LEVELS - 1).astype(np.float32)


def pack(sizes: list[tuple[int, int]]) -> tuple[np.ndarray, int, int]:
    """Rectangles (x, y, width, height) on a sheet for pictures of these sizes, and the sheet's width and height.

    Pictures stand in rows of decreasing height, each at a multiple of its own size, so that halving does not mix them.
    Raises ValueError for a size that is not a power of two.
    """
    order = sorted(range(len(sizes)), key=lambda k: (-sizes[k][1], -sizes[k][0]))
    area = sum(w * h for w, h in sizes)
    width = max(1 << int(np.ceil(np.log2(np.sqrt(area)))), *(w for w, _ in sizes))
    rectangles = np.zeros((len(sizes), 4), int)
    x = y = shelf = 0
    for k in order:
        w, h = sizes[k]
        if w & (w - 1) or h & (h - 1):
            raise ValueError(f"texture {k} is {w}x{h}: sides must be powers of two")
        if shelf != h or x + w > width:
            x, y, shelf = 0, y + shelf, h
        rectangles[k] = x, y, w, h
        x += w
    height = y + shelf
    step = 1 << (LEVELS - 1)
    return rectangles, width, -(-height // step) * step


def _reduce(base: np.ndarray) -> np.ndarray:
    height, width = base.shape[:2]
    sheet = np.zeros((2 * height, 2 * width, 3), np.uint8)
    across = base
    x = 0
    for _ in range(LEVELS):
        down, y = across, 0
        for _ in range(LEVELS):
            h, w = down.shape[:2]
            sheet[y : y + h, x : x + w] = down
            y += h
            if h < 2:
                break
            down = cv2.resize(down, (w, h // 2), interpolation=cv2.INTER_AREA)
        x += across.shape[1]
        if across.shape[1] < 2:
            break
        across = cv2.resize(across, (across.shape[1] // 2, height), interpolation=cv2.INTER_AREA)
    return sheet
