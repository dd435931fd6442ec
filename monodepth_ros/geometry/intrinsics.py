# SPDX-License-Identifier: Apache-2.0
"""The affine part of a camera: from points on the plane z = 1 to pixels, and back."""

from functools import lru_cache
from typing import Any

import numpy as np

from monodepth_ros.geometry.arrays import array_namespace


def to_pixels(K: np.ndarray, points: Any) -> Any:
    """Pixels (..., 2) of normalised coordinates (..., 2), by intrinsics K (3, 3) with skew; numpy or torch."""
    x, y = points[..., 0], points[..., 1]
    u = x * float(K[0, 0]) + float(K[0, 2])
    if K[0, 1]:
        u = u + y * float(K[0, 1])
    return array_namespace(points).stack([u, y * float(K[1, 1]) + float(K[1, 2])], axis=-1)


def from_pixels(K: np.ndarray, pixels: Any) -> Any:
    """The inverse of `to_pixels`."""
    across, y = pixels[..., 0] - float(K[0, 2]), (pixels[..., 1] - float(K[1, 2])) / float(K[1, 1])
    if K[0, 1]:
        across = across - y * float(K[0, 1])
    return array_namespace(pixels).stack([across / float(K[0, 0]), y], axis=-1)


def rectified_projection(K: np.ndarray, P: np.ndarray, gain: float) -> np.ndarray:
    """P (3, 4) without skew; if P is zero, [K|0] with the focal lengths times `gain`, those of the image's centre.

    ROS's fisheye calibrator copies the skew of K into P, but the pixels of a rectified image are rectangular.
    """
    full = P + 0.0 if P.any() else np.hstack([K * [[gain, gain, 1], [gain, gain, 1], [1, 1, 1]], np.zeros((3, 1))])
    full[0, 1] = 0.0
    return full


@lru_cache(maxsize=8)
def ray_grid(width: int, height: int, fx: float, fy: float, cx: float, cy: float) -> np.ndarray:
    """The point of every pixel of a pinhole at depth 1: (H, W, 3) float32, read-only."""
    rays = np.ones((height, width, 3), np.float32)
    rays[..., 0] = (np.arange(width) - cx) / fx
    rays[..., 1] = ((np.arange(height) - cy) / fy)[:, None]
    rays.setflags(write=False)
    return rays
