# SPDX-License-Identifier: Apache-2.0
"""Masks of foliage, railings and signs, which are pictures on flat cards with transparent parts."""

import cv2
import numpy as np

from monodepth_ros.synthetic.atlas import Texture, pack

LEVELS = 7


class Masks:
    """All masks with their successive halvings on one sheet.

    sheet: (H, W) uint8. Texture t at reduction i has the entry e = first[t] + i; first[t] is -1 for a texture without a
    mask. rectangles[e]: x, y, width, height on the sheet. thresholds[e]: smallest opaque value. arrays[e]: the pixels
    of one entry. levels[t]: number of reductions.
    """

    def __init__(self, textures: list[Texture]) -> None:
        self.first = np.full(len(textures), -1)
        self.levels = np.zeros(len(textures), int)
        self.arrays: list[np.ndarray] = []
        thresholds: list[float] = []
        for number, texture in enumerate(textures):
            if texture.alpha is not None:
                reduced = reductions(texture.alpha)
                self.first[number], self.levels[number] = len(self.arrays), len(reduced)
                self.arrays += [alpha for alpha, _ in reduced]
                thresholds += [threshold for _, threshold in reduced]
        self.thresholds = np.array(thresholds, np.float32)
        sizes = [alpha.shape[::-1] for alpha in self.arrays]
        rectangles, width, height = pack(sizes) if sizes else (np.zeros((0, 4), int), 1, 1)
        self.sheet = np.zeros((height, width), np.uint8)
        for alpha, (x, y, w, h) in zip(self.arrays, rectangles, strict=True):
            self.sheet[y : y + h, x : x + w] = alpha
        self.rectangles = rectangles.astype(np.float32)

    def entries(self, textures: np.ndarray, copies: np.ndarray) -> np.ndarray:
        """(N,) entries for textures of which a sample covers `copies` (N,); -1 for textures without a mask."""
        first = self.first[textures]
        width = self.rectangles[first, 2] if len(self.rectangles) else np.float32(1)
        level = np.log2(np.maximum(copies * width, 1)).astype(int)
        return np.where(first < 0, -1, first + np.minimum(level, self.levels[textures] - 1))

    def opaque(self, entries: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """(N,) bool, whether the entries' masks are opaque at (u, v) [copies]; True for entry -1."""
        opaque = entries < 0
        masked = np.flatnonzero(~opaque)
        entries, u, v = entries[masked], u[masked], v[masked]
        x, y, width, height = np.take(self.rectangles.T, entries, axis=1)
        columns = np.clip((u - np.floor(u)) * width - 0.5, 0, width - 1) + x
        rows = np.clip((v - np.floor(v)) * height - 0.5, 0, height - 1) + y
        count, line = len(entries), 256  # OpenCV's maps are no longer than 2^15 in either direction
        maps = np.zeros((2, -(-max(count, 1) // line) * line), np.float32)
        maps[0, :count], maps[1, :count] = columns, rows
        alpha = cv2.remap(self.sheet, *maps.reshape(2, -1, line), cv2.INTER_LINEAR)
        opaque[masked] = alpha.ravel()[:count] >= self.thresholds[entries]
        return opaque


def reductions(alpha: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """Successive halvings of a mask, each with the threshold that preserves the opaque share of its area.

    With a fixed threshold, foliage would become thinner or denser with distance.
    """
    share = float((alpha >= 128).mean())
    levels = []
    while min(alpha.shape) >= 4 and len(levels) < LEVELS:
        levels.append((alpha, float(np.quantile(alpha, 1 - share)) if levels else 128.0))
        alpha = cv2.resize(alpha, (alpha.shape[1] // 2, alpha.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return levels
