# SPDX-License-Identifier: Apache-2.0
"""The resampling of the camera that the images are of, and of the one before it."""

from collections.abc import Callable

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.inference.engine import Engine
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.pipeline.frame_resampling import FrameResampling
from monodepth_ros.pipeline.ready_view import ready_view
from monodepth_ros.pipeline.view_choice import choose_view


class RecentResamplings:
    """Makes a resampling when the camera changes. After a single image of another camera the one before is used again,
    so that the motion goes on where it was.
    """

    def __init__(self, engine: Engine, header: CheckpointHeader):
        self._engine, self._header = engine, header
        self.current: FrameResampling | None = None
        self._earlier: FrameResampling | None = None

    def change_to(self, camera: CameraModel, part: str, announce: Callable[[str], None]) -> FrameResampling:
        """The resampling of the camera from now on; arguments as in `ready_view`."""
        if self.current is not None and self.current.fits(camera):
            return self.current
        earlier, self._earlier = self._earlier, self.current
        if earlier is not None and earlier.fits(camera) and self._engine.is_ready(earlier.view.size):
            self.current = earlier
            return earlier
        view = ready_view(self._engine, camera, self._header, part, announce)
        # A pose network is more accurate on the part of the image that it was trained on (docs/odometry.md).
        motion_view = choose_view(camera, self._header, "training") if view.kind == "whole" else view
        self.current = FrameResampling(camera, view, motion_view)
        return self.current
