# SPDX-License-Identifier: Apache-2.0
"""The resamplers that the frames of one camera share."""

from functools import cached_property

import numpy as np

from monodepth_ros.data.images.image_codec import Pixels, to_rgb
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.resample import Resampler
from monodepth_ros.pipeline.depth_image import DepthResizer
from monodepth_ros.pipeline.network_view import NetworkView


class FrameResampling:
    """From one camera's images to the network's input and to the rectified image, and from there back.

    view: the depth network's view through the camera. motion_view: the pose network's. Building the tables takes as
    long as several frames: keep the object while it `fits` the camera.
    """

    def __init__(self, camera: CameraModel, view: NetworkView, motion_view: NetworkView):
        self._camera, self._key, self._filter = camera, camera.key, view.resampler.filter
        self.view, self.motion_view = view, motion_view

    def fits(self, camera: CameraModel) -> bool:
        """Whether the tables are those of this camera."""
        return camera.key == self._key

    def network_input(self, pixels: Pixels) -> np.ndarray:
        """Rgb uint8 (H, W, 3) at the network's size."""
        return to_rgb(self.view.resampler(pixels.array), pixels.layout)

    def motion_input(self, pixels: Pixels) -> np.ndarray:
        """Rgb uint8 (H, W, 3) at the size of motion_view."""
        return to_rgb(self.motion_view.resampler(pixels.array), pixels.layout)

    def rectified(self, pixels: Pixels) -> np.ndarray:
        """Rgb uint8 (H, W, 3) at the camera's size, without distortion; an uncalibrated camera's image as it is."""
        array = self._rectifier(pixels.array) if self.view.is_calibrated else pixels.array
        return to_rgb(array, pixels.layout)

    def at_image_size(self, scaled_disparity: np.ndarray) -> np.ndarray:
        """1/depth (H, W) of the network's size at the camera's size, NaN where the network does not look."""
        return self._depth_resizer(scaled_disparity)

    # Few users ask for full-size outputs: their tables are built on demand.
    @cached_property
    def _rectifier(self) -> Resampler:
        return Resampler(self._camera, self.view.image_camera, self._filter)

    @cached_property
    def _depth_resizer(self) -> DepthResizer:
        return DepthResizer(self.view)
