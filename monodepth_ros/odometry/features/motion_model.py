# SPDX-License-Identifier: Apache-2.0
"""Constant-velocity model: the camera's pose at the last image, and the pose expected at the next."""

import numpy as np

from monodepth_ros.geometry.motion import invert, make_transform
from monodepth_ros.odometry.gyro.gyro import Turn


class MotionModel:
    """Poses T_world_camera (4, 4) of one camera, image by image.

    pose: at the last image, measured or bridged. measured_pose: at the last image that gave a motion. frame_ns,
    measured_ns: the stamps of both. The world is the camera's frame at the start.
    """

    def __init__(self, stamp_ns: int):
        self.pose = self.measured_pose = np.eye(4)
        self.frame_ns = self.measured_ns = stamp_ns
        self.is_bridged = False
        self._velocity, self._velocity_ns = np.eye(4), 0  # a step and the time it took, 0 if unknown

    def expected_step(self, turn: Turn | None, stamp_ns: int) -> np.ndarray:
        """The next step (4, 4), given the gyro's turn since the last image, if any."""
        if turn is None:
            return self._velocity
        share = (stamp_ns - self.frame_ns) / self._velocity_ns if self._velocity_ns > 0 else 1.0
        return make_transform(turn.R_start_stop, share * self._velocity[:3, 3])

    def measure(self, pose: np.ndarray, step: np.ndarray, stamp_ns: int) -> None:
        """Take over a measured pose, and the step that led there from the last image."""
        if self.is_bridged:  # the step also corrects the bridged pose, so it is no velocity
            self._velocity, self._velocity_ns = invert(self.measured_pose) @ pose, stamp_ns - self.measured_ns
        else:
            self._velocity, self._velocity_ns = step, stamp_ns - self.frame_ns
        self._set_measured(pose, stamp_ns)

    def stand(self, stamp_ns: int) -> np.ndarray:
        """Take over that the camera is where it was last measured; the step (4, 4) from the last image to there."""
        step = invert(self.pose) @ self.measured_pose if self.is_bridged else np.eye(4)
        self._velocity = np.eye(4)
        self._set_measured(self.measured_pose, stamp_ns)
        return step

    def bridge(self, step: np.ndarray, stamp_ns: int) -> None:
        """Take over a step that no image has confirmed."""
        self.pose, self.frame_ns, self.is_bridged = self.pose @ step, stamp_ns, True

    def _set_measured(self, pose: np.ndarray, stamp_ns: int) -> None:
        self.pose = self.measured_pose = pose
        self.frame_ns = self.measured_ns = stamp_ns
        self.is_bridged = False
