# SPDX-License-Identifier: Apache-2.0
"""Depth images at the pixels of another camera at the same position, to compare them pixel by pixel."""

import cv2
import numpy as np

from monodepth_ros.geometry.camera import CameraModel


class DepthInCamera:
    """Resamples depth images of `source`, an undistorted camera, at the pixels of `target`, distorted or not.

    The cameras share their centre, and source has the rectified orientation of target, as the depth that the node
    publishes. If either is uncalibrated, the depth image is resized.
    """

    def __init__(self, source: CameraModel, target: CameraModel):
        self._size = target.width, target.height
        self._maps = None
        if source.is_calibrated and target.is_calibrated:
            pixels = np.stack(np.meshgrid(np.arange(target.width), np.arange(target.height)), axis=-1)
            rays = target.backproject(pixels.astype(np.float64), np.ones(pixels.shape[:2]))
            rays = rays @ target.R.T
            self._along = rays[..., 2]
            maps = source.project(rays)
            inside = (maps > -0.5) & (maps < (source.width - 0.5, source.height - 0.5))
            maps[~inside.all(axis=-1)] = np.nan
            self._outside = np.isnan(maps[..., 0])
            maps[self._outside] = 0.0
            self._maps = tuple(np.ascontiguousarray(maps[..., i], np.float32) for i in (0, 1))

    def __call__(self, depth: np.ndarray) -> np.ndarray:
        """Depth [m] (H, W) along the source's axis -> (H', W') along the target's; NaN outside the source's image.

        Inverse depth is interpolated, because the mean of two depths is not the depth of the mean disparity.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            inverse = (1.0 / depth).astype(np.float32)
            if self._maps is None:
                return 1.0 / cv2.resize(inverse, self._size, interpolation=cv2.INTER_LINEAR)
            u, v = self._maps
            sampled = cv2.remap(inverse, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            sampled[self._outside] = np.nan
            return (1.0 / sampled / self._along).astype(np.float32)
