# SPDX-License-Identifier: Apache-2.0
"""The pinhole camera of the image in which points are tracked."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TrackingCamera:
    """Size and intrinsics [pixels] of an undistorted image."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    @property
    def focal(self) -> float:
        """Mean of both focal lengths."""
        return 0.5 * (self.fx + self.fy)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """(N, 2) x / z and y / z of pixels (N, 2)."""
        return (pixels - (self.cx, self.cy)) / (self.fx, self.fy)

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """(N, 2) of points (N, 3) in the camera's axes; points behind the camera get arbitrary pixels."""
        depth = np.where(points[:, 2] > 1e-3, points[:, 2], 1e-3)
        return points[:, :2] / depth[:, None] * (self.fx, self.fy) + (self.cx, self.cy)

    def contains(self, pixels: np.ndarray, margin: float = 0.0) -> np.ndarray:
        """Which pixels (N, 2) lie in the image, at least `margin` pixels from its border: (N,) bool."""
        highest = np.array(self.size) - 1 - margin
        return np.all((pixels >= margin) & (pixels <= highest), axis=1)
