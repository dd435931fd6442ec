# SPDX-License-Identifier: Apache-2.0
"""Comparison of a gyro with the rotation that the points alone measure, step by step."""

import numpy as np

from monodepth_ros.geometry.motion import rotation_to_axis_angle
from monodepth_ros.odometry.features.robust_pose import refine_pose
from monodepth_ros.odometry.gyro.gyro import Gyro, Turn

MIN_POINTS = 16  # with fewer points the rotation of one image is not used
# Error of a step's rotation by the points of one image: [rad], and a share of its angle.
NOISE, NOISE_SHARE = 1e-3, 0.02


class GyroComparison:
    """Feeds a gyro with rotations measured by images, if there is a gyro.

    Rotations (3, 3) are measured since the last keyframe, without the gyro's own influence.
    """

    def __init__(self, gyro: Gyro | None):
        self._gyro = gyro
        self._since_keyframe: np.ndarray | None = np.eye(3)

    def turn(self, start_ns: int, stop_ns: int) -> Turn | None:
        """The gyro's rotation between two images, if it is there and trusted."""
        return None if self._gyro is None else self._gyro.turn(start_ns, stop_ns)

    def rotation_since_keyframe(
        self, pose: np.ndarray, keyframe: np.ndarray, world: np.ndarray, rays: np.ndarray, focal: float
    ) -> np.ndarray | None:
        """Rotation (3, 3) by the points alone; None without a gyro or with too few points.

        pose, keyframe: T_world_camera near the camera's pose, and of the last keyframe. world: points (N, 3), seen
        along rays (N, 2).
        """
        if self._gyro is None or len(world) < MIN_POINTS:
            return None
        alone, _ = refine_pose(pose, world, rays, focal)
        return keyframe[:3, :3].T @ alone[:3, :3]

    def observe_step(self, start_ns: int, stop_ns: int, since_keyframe: np.ndarray | None) -> None:
        """Compare the step that ends with this rotation since the keyframe; None if it is unknown."""
        if self._gyro is not None and self._since_keyframe is not None and since_keyframe is not None:
            step = self._since_keyframe.T @ since_keyframe
            sigma = np.hypot(NOISE, NOISE_SHARE * np.linalg.norm(rotation_to_axis_angle(step)))
            self._gyro.observe(start_ns, stop_ns, step, float(sigma))
        self._since_keyframe = since_keyframe

    def observe_standstill(self, start_ns: int, stop_ns: int, sigma: float) -> None:
        """Compare a time without motion; sigma: the largest rotation that goes unnoticed [rad]."""
        if self._gyro is not None:
            self._gyro.observe(start_ns, stop_ns, np.eye(3), sigma)

    def begin_keyframe(self) -> None:
        """Measure rotations from the newest image on."""
        self._since_keyframe = np.eye(3)

    def lose_step(self) -> None:
        """The newest image gave no rotation."""
        self._since_keyframe = None
