# SPDX-License-Identifier: Apache-2.0
"""Depth images of one camera at the pixels of another one, such as a depth camera's beside the colour camera."""

import math

import cv2
import numpy as np

from monodepth_ros.geometry.camera import CameraModel

# A point is hidden if another one beside it is nearer by more than this share. Neighbouring pixels of a floor differ by
# less at the range of depth cameras.
HIDDEN = 0.1


class DepthReprojection:
    """Reprojects depth images of `source` to `target`, both with or without distortion.

    T_target_source: (4, 4) [m]. Every pixel is moved as a point: nothing is interpolated, and the target's pixels that
    no point falls upon stay NaN. Of the points on a pixel the nearest counts, and points that show through between
    those of a nearer surface are removed.
    """

    def __init__(self, source: CameraModel, target: CameraModel, T_target_source: np.ndarray):
        self._target = target
        pixels = np.stack(np.meshgrid(np.arange(source.width), np.arange(source.height)), axis=-1).astype(np.float64)
        self._rays = source.backproject(pixels, np.ones(pixels.shape[:2])) @ T_target_source[:3, :3].T
        self._shift = T_target_source[:3, 3]
        # The pixels of the target between the points of neighbouring pixels of the source.
        spread = max(target.fx / source.fx, target.fy / source.fy, 1.0)
        self._neighbours = np.ones((2 * math.ceil(spread) + 1,) * 2, np.uint8)

    def __call__(self, depth: np.ndarray) -> np.ndarray:
        """Depth (H, W) [m] along the source's axis -> (H', W') float32 along the target's; NaN where it is unknown."""
        target = self._target
        known = np.isfinite(depth) & (depth > 0)
        points = self._rays[known] * depth[known][:, None] + self._shift
        points = points[np.isfinite(points).all(axis=1) & (points[:, 2] > 0)]
        pixels = np.rint(target.project(points))
        inside = ((pixels >= 0) & (pixels < (target.width, target.height))).all(axis=1)
        columns, rows = pixels[inside].astype(int).T
        found = np.full((target.height, target.width), np.inf, np.float32)
        np.minimum.at(found, (rows, columns), points[inside, 2].astype(np.float32))
        nearest = cv2.erode(found, self._neighbours)
        found[~np.isfinite(found) | (found / (1 + HIDDEN) > nearest)] = np.nan
        return found
