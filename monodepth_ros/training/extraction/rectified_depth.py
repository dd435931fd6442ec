# SPDX-License-Identifier: Apache-2.0
"""Ground-truth depth of the published image in the rectified camera."""

import cv2
import numpy as np

from monodepth_ros.geometry.camera import CameraModel


class RectifiedDepth:
    """Resamples depth images of `source`, as published, to `target`, an undistorted camera of its rectified
    orientation.

    Takes the depth of the nearest pixel, because a mean of two depths lies on neither surface.
    """

    def __init__(self, source: CameraModel, target: CameraModel):
        self._is_same = source.is_rectified and source.key == target.key
        if self._is_same:
            return
        rays = target.ray_grid().astype(np.float64) @ source.R  # p_camera = R^T p_rectified
        pixels = source.project(rays)
        inside = (pixels > -0.5) & (pixels < (source.width - 0.5, source.height - 0.5))
        self._outside = ~inside.all(axis=-1)
        pixels[self._outside] = 0.0
        self._x, self._y = (np.ascontiguousarray(pixels[..., i], np.float32) for i in (0, 1))
        self._along = rays[..., 2].astype(np.float32)

    def __call__(self, depth: np.ndarray) -> np.ndarray:
        """Convert depth (H, W) [m] along the source's axis to (H', W') along the target's; NaN outside the source's
        view."""
        if self._is_same:
            return depth
        sampled = cv2.remap(depth.astype(np.float32), self._x, self._y, cv2.INTER_NEAREST)
        sampled[self._outside] = np.nan
        return sampled / self._along
