# SPDX-License-Identifier: Apache-2.0
"""The lens that is estimated: square pixels, a principal point and the terms of plumb_bob."""

import math
from dataclasses import dataclass, replace

import numpy as np

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.lenses.distortion import undistort

PARAMETERS = 8  # log f, cx, cy, k1, k2, p1, p2, k3: the last five in plumb_bob's order
RADIAL = (3, 4, 7)
MAX_RADIUS2 = 9.0  # squared radius beyond which the polynomial is not evaluated: 72 degrees off the axis


@dataclass(frozen=True)
class Lens:
    """focal [pixels], principal point (cx, cy) [pixels], and plumb_bob's terms, of an image of (width, height)."""

    width: int
    height: int
    focal: float
    cx: float
    cy: float
    k1: float = 0.0
    k2: float = 0.0
    p1: float = 0.0
    p2: float = 0.0
    k3: float = 0.0

    @classmethod
    def centred(cls, width: int, height: int, field_of_view: float) -> "Lens":
        """A lens without distortion whose image is `field_of_view` [rad] wide, with its axis in the middle."""
        focal = 0.5 * width / np.tan(0.5 * field_of_view)
        return cls(width, height, float(focal), 0.5 * width - 0.5, 0.5 * height - 0.5)

    @property
    def parameters(self) -> np.ndarray:
        """log f, cx, cy, k1, k2, p1, p2, k3 (8,)."""
        return np.array([np.log(self.focal), self.cx, self.cy, *self.distortion])

    @property
    def distortion(self) -> np.ndarray:
        """Coefficients (5,) of plumb_bob."""
        return np.array([self.k1, self.k2, self.p1, self.p2, self.k3])

    def moved(self, step: np.ndarray) -> "Lens":
        """The lens after a step (8,) of its parameters."""
        log_focal, cx, cy, *terms = (self.parameters + step).tolist()
        return Lens(self.width, self.height, math.exp(log_focal), cx, cy, *terms)

    def with_terms(self, terms: int) -> "Lens":
        """The lens with its first radial terms alone; with none of them it has no distortion."""
        kept = self.parameters
        kept[list(RADIAL[terms:])] = 0.0
        kept[5:7] *= terms > 0
        return self.moved(kept - self.parameters)

    def resized(self, width: int, height: int) -> "Lens":
        """The lens of the image resized to this size, whose aspect should be the same."""
        sx, sy = width / self.width, height / self.height
        centre = sx * (self.cx + 0.5) - 0.5, sy * (self.cy + 0.5) - 0.5
        return replace(
            self, width=width, height=height, focal=self.focal * math.sqrt(sx * sy), cx=centre[0], cy=centre[1]
        )

    def camera(self) -> CameraModel:
        """The lens as a camera model, distorted by plumb_bob."""
        K = np.array([[self.focal, 0.0, self.cx], [0.0, self.focal, self.cy], [0.0, 0.0, 1.0]])
        return CameraModel(self.width, self.height, K=K, D=self.distortion)

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """x / z and y / z (..., 2) of pixels (..., 2); NaN where the distortion has no inverse."""
        distorted = (np.asarray(pixels, np.float64) - (self.cx, self.cy)) / self.focal
        return undistort(distorted, "plumb_bob", self.distortion)

    def is_invertible(self) -> bool:
        """Whether every pixel of the image has a ray."""
        corners = np.array([(u, v) for u in (0, self.width - 1) for v in (0, self.height - 1)])
        return bool(np.isfinite(self.rays(corners)).all())

    @property
    def field_of_view(self) -> float:
        """Horizontal field of view [rad] along the row of the principal point."""
        ends = self.rays(np.array([(-0.5, self.cy), (self.width - 0.5, self.cy)]))[:, 0]
        return float(np.arctan(ends[1]) - np.arctan(ends[0]))


def project(lens: Lens, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels (2, K) of x / z, y / z (K,), their derivatives (2, 2, K) by x and y, and (8, 2, K) by the lens.

    The derivatives' order is [by what, of u or v].
    """
    squared = np.minimum(x * x + y * y, MAX_RADIUS2)
    factor = 1.0 + squared * (lens.k1 + squared * (lens.k2 + squared * lens.k3))
    slope = 2.0 * (lens.k1 + squared * (2.0 * lens.k2 + squared * 3.0 * lens.k3))
    xx, xy, yy = squared + 2.0 * x * x, 2.0 * x * y, squared + 2.0 * y * y
    distorted = np.stack([x * factor + lens.p1 * xy + lens.p2 * xx, y * factor + lens.p1 * yy + lens.p2 * xy])
    distorted *= lens.focal
    mixed = x * y * slope + 2.0 * (lens.p1 * x + lens.p2 * y)
    by_place = lens.focal * np.array(
        [
            [factor + x * x * slope + 2.0 * lens.p1 * y + 6.0 * lens.p2 * x, mixed],
            [mixed, factor + y * y * slope + 6.0 * lens.p1 * y + 2.0 * lens.p2 * x],
        ]
    )
    by_lens = np.zeros((PARAMETERS, 2, len(x)))
    by_lens[0] = distorted
    by_lens[1, 0] = by_lens[2, 1] = 1.0
    by_lens[3] = lens.focal * squared * np.stack([x, y])
    by_lens[4] = squared * by_lens[3]
    by_lens[5] = lens.focal * np.stack([xy, yy])
    by_lens[6] = lens.focal * np.stack([xx, xy])
    by_lens[7] = squared * by_lens[4]
    return distorted + np.array([[lens.cx], [lens.cy]]), by_place, by_lens
