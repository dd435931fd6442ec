# SPDX-License-Identifier: Apache-2.0
"""The depth of a checkpoint for an image, at the pixels of its ground truth."""

import numpy as np

from monodepth_ros.data.images.image_codec import Pixels, to_rgb
from monodepth_ros.evaluation.depth_in_camera import DepthInCamera
from monodepth_ros.geometry.camera import SAME_ROTATION, CameraModel
from monodepth_ros.inference.engine import Engine
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.disparity import depth_at_size, scale_disparity
from monodepth_ros.offline.mirror_ensemble import blend_mirrored
from monodepth_ros.pipeline.ready_view import ready_view


class DepthPredictor:
    """Predicts depth through any camera, with the node's view of it; keeps the tables of the last camera.

    post_process: blend with the prediction for the mirror image (see mirror_ensemble.py), in inverse depth at the
    network's size. part: as image.view. view_description: the network's view of the last camera, in words; empty before
    the first image.
    """

    def __init__(self, engine: Engine, header: CheckpointHeader, post_process: bool = False, part: str = "whole"):
        self._engine, self._header, self._post_process, self._part = engine, header, post_process, part
        self._key: tuple | None = None
        self.view_description = ""

    def __call__(self, pixels: Pixels, camera: CameraModel, size: tuple[int, int]) -> np.ndarray:
        """Depth (height, width) in network units, NaN where the network does not look; size: (width, height).

        size is that of the ground truth. If the camera has no distortion and the network's view is its whole image,
        inverse depth is resized bilinearly and then inverted, as in the usual protocol.
        """
        key = camera.key, size
        if key != self._key:
            self._look_through(camera, size)
            self._key = key
        rgb = to_rgb(self._view.resampler(pixels.array), pixels.layout)
        scaled = self._scaled_disparity(rgb)
        if self._post_process:
            mirrored = self._scaled_disparity(np.ascontiguousarray(rgb[:, ::-1]))
            scaled = blend_mirrored(scaled, mirrored[:, ::-1])
        if self._to_truth is None:
            return depth_at_size(scaled, size)
        return self._to_truth(1.0 / scaled) * np.float32(self._view.depth_factor)

    def _look_through(self, camera: CameraModel, size: tuple[int, int]) -> None:
        self._view = ready_view(self._engine, camera, self._header, self._part)
        self.view_description = f"{camera.width}x{camera.height}: {self._view.summary}"
        is_whole = self._view.kind == "resize"
        is_straight = not camera.is_distorted and np.abs(camera.R - np.eye(3)).max() <= SAME_ROTATION
        self._to_truth = None
        if not (is_whole and is_straight):
            camera = camera.assumed()
            target = camera if (camera.width, camera.height) == size else camera.resized(*size)
            self._to_truth = DepthInCamera(self._view.camera, target)

    def _scaled_disparity(self, rgb: np.ndarray) -> np.ndarray:
        disparity = self._engine.disparity(self._engine.load_image(rgb))
        return scale_disparity(disparity, self._header.min_depth, self._header.max_depth)
