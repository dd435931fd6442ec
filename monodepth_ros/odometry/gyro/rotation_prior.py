# SPDX-License-Identifier: Apache-2.0
"""A gyro's word in the estimation of poses, as one more residual beside those of the points."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monodepth_ros.geometry.motion import axis_angle_to_rotation, rotation_to_axis_angle
from monodepth_ros.odometry.gyro.gyro import Turn

ROBUST_WIDTH = 4.0  # of the Cauchy loss, in standard deviations: a gyro that is far off loses its say


@dataclass(frozen=True)
class RotationPrior:
    """What a camera's rotation in the world is held to be (3, 3), and the information (3, 3) [1 / rad^2] about its axes."""

    R_world_camera: np.ndarray
    information: np.ndarray

    @classmethod
    def after(cls, R_world_before: np.ndarray, turn: Turn) -> "RotationPrior":
        """Of a camera that has turned so since it stood at R_world_before (3, 3)."""
        return cls(R_world_before @ turn.R_start_stop, turn.information)

    def equations(self, R_world_camera: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Normal matrix (3, 3) and gradient (3,) for a small rotation of the camera about its own axes."""
        error = rotation_to_axis_angle(self.R_world_camera.T @ R_world_camera)
        trusted = self.information / (1.0 + error @ self.information @ error / ROBUST_WIDTH**2)
        return trusted, trusted @ error


def turned_step(T: np.ndarray, covariance: np.ndarray, turn: Turn) -> tuple[np.ndarray, np.ndarray]:
    """A step (4, 4) and its covariance (6, 6), in the axes it begins in, with the turn taken into account.

    The mean of the two rotations, each by its certainty; the translation stays as it is.
    """
    R = T[:3, :3]
    own, gyros = R.T @ covariance[3:, 3:] @ R, turn.covariance
    gain = own @ np.linalg.inv(own + gyros)
    step, reduced = T.copy(), covariance.copy()
    step[:3, :3] = R @ axis_angle_to_rotation(gain @ rotation_to_axis_angle(R.T @ turn.R_start_stop))
    rotation = R @ (own - gain @ own) @ R.T
    reduced[3:, 3:] = (rotation + rotation.T) / 2
    return step, reduced


def add_turns(S: np.ndarray, gradient: np.ndarray, poses: np.ndarray, turns: Sequence[Turn | None], first: int) -> None:
    """Add the turns between consecutive poses (F, 4, 4) T_world_camera to the normal equations of the poses from `first` on.

    turns: F - 1, None where nobody knows. S: (6 n, 6 n) and gradient: (6 n,), n = F - first, changed in place.
    """
    for later, turn in enumerate(turns, 1):
        if turn is None or later < first:
            continue
        R_before = poses[later - 1, :3, :3]
        information, slope = RotationPrior.after(R_before, turn).equations(poses[later, :3, :3])
        # A rotation of the earlier pose turns the error the other way, seen in the later one's axes.
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
