# SPDX-License-Identifier: Apache-2.0
"""The ground's surface: textures by the place on the street, and the light that reaches it."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from monodepth_ros.synthetic.road import Road

TILE = 20.48  # metres of street that one ground texture covers, along and across
LIGHT_REACH = 16.0  # metres to either side that the light map covers
TEXEL = 0.125  # metres, resolution of the finest level of the light map
LIGHT_LEVELS = 7
WINDOW = 4096  # rows of the light map that one picture can use: half a kilometre
STEP = 512  # rows by which that window moves


@dataclass
class Ground:
    """The ground of a street.

    textures: (tiles, 3) texture numbers of each tile along the street: right of it, the street, left of it. sizes: (all
    textures, 2) width and height of one copy [m]. light_map: (rows along s, columns from left to right, 2) uint8, the
    shares of the sun's and the sky's light.
    """

    road: Road
    textures: np.ndarray
    sizes: np.ndarray
    light_map: np.ndarray
    _levels: list[np.ndarray] = field(default_factory=list, init=False)
    _window: tuple[int, np.ndarray] = field(default=(-1, np.zeros(0)), init=False)

    def __post_init__(self) -> None:
        rows = -(-len(self.light_map) // STEP) * STEP + WINDOW
        level = np.pad(self.light_map, ((0, rows - len(self.light_map)), (0, 0), (0, 0)), mode="edge")
        for _ in range(LIGHT_LEVELS):
            self._levels.append(level)
            level = ((level[0::2].astype(np.uint16) + level[1::2] + 1) >> 1).astype(np.uint8)
        self._brightest = max(1.0, float(self.light_map[..., 0].max()))
        starts = np.concatenate([[0], np.cumsum([WINDOW >> i for i in range(LIGHT_LEVELS)])])
        self._starts = starts.astype(np.float32)

    def texture(self, s: np.ndarray, n: np.ndarray) -> np.ndarray:
        """Texture numbers at (s, n)."""
        tile = np.clip((s * (1 / TILE)).astype(np.int32), 0, len(self.textures) - 1)
        zone = 1 - (n > TILE / 2).astype(np.int32) + (n < -TILE / 2)
        return self.textures[:, ::-1].ravel()[tile * 3 + zone]

    def light(self, s: np.ndarray, n: np.ndarray, step: np.ndarray, s_camera: float) -> tuple[np.ndarray, np.ndarray]:
        """(sun, ambient) shares of the light at (s, n), averaged over about `step` [m] along the street.

        All points must lie less than half a kilometre ahead of `s_camera` and less than 60 m behind it.
        """
        first, sheet = self._sheet(max(0, int((s_camera - 60) / TEXEL)) // STEP * STEP)
        level = np.clip(np.log2(np.maximum(step * (1 / TEXEL), 1)).astype(np.int32), 0, LIGHT_LEVELS - 1)
        scale = np.ldexp(np.float32(1), -level)
        rows = (s * np.float32(1 / TEXEL) - np.float32(first)) * scale
        rows = self._starts[level] + np.clip(rows, 0.5, WINDOW * scale - 0.5) - 0.5
        columns = (LIGHT_REACH - n) * np.float32(1 / TEXEL) - 0.5
        count, width = len(s), 256  # OpenCV's maps are no longer than 2^15 in either direction
        maps = np.zeros((2, -(-count // width) * width), np.float32)
        maps[0, :count], maps[1, :count] = columns, rows
        maps = maps.reshape(2, -1, width)
        values = cv2.remap(sheet, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        values = values.reshape(-1, 2)[:count].astype(np.float32) * np.float32(1 / 255)
        return values[:, 0], values[:, 1]

    def sun_share(self, s: float, n: float) -> float:
        """Share of the sun's light at one place, relative to level ground without shadow."""
        rows, columns, _ = self.light_map.shape
        row, column = (
            np.clip(int(s / TEXEL), 0, rows - 1),
            np.clip(int((LIGHT_REACH - n) / TEXEL), 0, columns - 1),
        )
        return float(self.light_map[row, column, 0]) / self._brightest

    def _sheet(self, first: int) -> tuple[int, np.ndarray]:
        """The window of the light map that begins at row `first` or earlier: that row, and all levels stacked."""
        first = min(first, len(self._levels[0]) - WINDOW)
        window = self._window  # another thread may replace it during this call
        if window[0] != first:
            parts = [m[first >> i : (first + WINDOW) >> i] for i, m in enumerate(self._levels)]
            self._window = window = first, np.concatenate(parts)
        return window
