# SPDX-License-Identifier: Apache-2.0
"""The grey image in which points are tracked: the network's view at a size that suits the tracking."""

import cv2
import numpy as np

from monodepth_ros.data.images.image_codec import Pixels, to_gray
from monodepth_ros.geometry.resample import Resampler
from monodepth_ros.odometry.features.tracking_camera import TrackingCamera
from monodepth_ros.pipeline.network_view import NetworkView

# Larger images (960, 1241 pixels on KITTI) did not improve the motion from features, and smaller ones made it worse.
WIDTH = 640
SAME_SIZE = 1.05  # up to this ratio of sizes the network's view is used as it is


class TrackingView:
    """Renders the network's view in grey, `width` pixels wide, or as wide as the camera's resolution allows."""

    def __init__(self, view: NetworkView, filter: str, width: int = WIDTH):
        source, target = view.resampler.source, view.camera
        factor = min(width / target.width, max(1.0, view.image_camera.fx / target.fx))
        self._resampler: Resampler | None = None
        self._is_smaller = factor < 1.0 / SAME_SIZE
        if self._is_smaller or factor > SAME_SIZE:
            target = target.resized(round(target.width * factor), round(target.height * factor))
        if factor > SAME_SIZE:
            self._resampler = Resampler(source, target, filter)
        self.camera = TrackingCamera(target.width, target.height, target.fx, target.fy, target.cx, target.cy)

    def render(self, pixels: Pixels, network_rgb: np.ndarray) -> np.ndarray:
        """(H, W) uint8, from the network's input, or from the camera's image if that input is too small."""
        if self._resampler is not None:
            return self._resampler(to_gray(pixels.array, pixels.layout))
        gray = to_gray(network_rgb, "rgb")
        if self._is_smaller:
            return cv2.resize(gray, (self.camera.width, self.camera.height), interpolation=cv2.INTER_AREA)
        return gray
