# SPDX-License-Identifier: Apache-2.0
"""A gyro's rotation in the estimation of poses: one more residual beside those of the points."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monodepth_ros.geometry.motion import axis_angle_to_rotation, rotation_to_axis_angle
from monodepth_ros.odometry.covariance import symmetric
from monodepth_ros.odometry.gyro.gyro import Turn

ROBUST_WIDTH = 4.0  # width of the Cauchy loss in standard deviations: a gyro that is far off loses its influence


@dataclass(frozen=True)
class RotationPrior:
    """Expected rotation (3, 3) of a camera in the world, and its information (3, 3) [1 / rad^2], about its own axes."""

    R_world_camera: np.ndarray
    information: np.ndarray

    @classmethod
    def after(cls, R_world_before: np.ndarray, turn: Turn) -> "RotationPrior":
        """Prior for a camera that made a turn since R_world_before (3, 3)."""
        return cls(R_world_before @ turn.R_start_stop, turn.information)

    def equations(self, R_world_camera: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Normal matrix (3, 3) and gradient (3,) for a small rotation of the camera about its own axes."""
        error = rotation_to_axis_angle(self.R_world_camera.T @ R_world_camera)
        trusted = self.information / (1.0 + error @ self.information @ error / ROBUST_WIDTH**2)
        return trusted, trusted @ error


def turned_step(T: np.ndarray, covariance: np.ndarray, turn: Turn) -> tuple[np.ndarray, np.ndarray]:
    """A step (4, 4) and its covariance (6, 6) in the axes of the step's start, fused with a turn.

    The rotation becomes the mean of both, weighted by their certainty; the translation stays the same.
    """
    R = T[:3, :3]
    step_error, gyro_error = R.T @ covariance[3:, 3:] @ R, turn.covariance
    gain = step_error @ np.linalg.inv(step_error + gyro_error)
    step, reduced = T.copy(), covariance.copy()
    step[:3, :3] = R @ axis_angle_to_rotation(gain @ rotation_to_axis_angle(R.T @ turn.R_start_stop))
    reduced[3:, 3:] = symmetric(R @ (step_error - gain @ step_error) @ R.T)
    return step, reduced


def add_turns(S: np.ndarray, gradient: np.ndarray, poses: np.ndarray, turns: Sequence[Turn | None], first: int) -> None:
    """Add the turns between consecutive poses to the normal equations of the poses from `first` on.

    poses: (F, 4, 4) T_world_camera. turns: F - 1, None if unknown. S: (6 n, 6 n) and gradient: (6 n,), n = F - first,
    changed in place.
    """
    for later, turn in enumerate(turns, 1):
        if turn is None or later < first:
            continue
        R_before = poses[later - 1, :3, :3]
        information, slope = RotationPrior.after(R_before, turn).equations(poses[later, :3, :3])
        # A rotation of the earlier pose changes the error with the opposite sign, in the later pose's axes.
        R_later_before = poses[later, :3, :3].T @ R_before
        blocks = {later - first: np.eye(3), later - 1 - first: -R_later_before}
        for i, J_i in blocks.items():
            if i < 0:
                continue
            rows = slice(6 * i + 3, 6 * i + 6)
            gradient[rows] += J_i.T @ slope
            for k, J_k in blocks.items():
                if k >= 0:
                    S[rows, 6 * k + 3 : 6 * k + 6] += J_i.T @ information @ J_k
