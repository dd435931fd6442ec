# SPDX-License-Identifier: Apache-2.0
"""Covariances of motions and poses, in the convention of nav_msgs/Odometry.

A covariance (6, 6) is ordered (x, y, z, rotX, rotY, rotZ) [m, rad]. The covariance of a pose holds the translation
error in the axes of the reference frame, and the rotation error about those axes through the moving frame's origin. The
covariance of a motion is in the axes of the moving frame.
"""

import numpy as np

from monodepth_ros.geometry.motion import skew

# Variance published while the pose is unknown: finite, and large enough that every filter ignores the pose.
UNKNOWN_VARIANCE = 1e4


def unknown_covariance() -> np.ndarray:
    """Covariance (6, 6) of an unknown pose or velocity."""
    return np.eye(6) * UNKNOWN_VARIANCE


def step_covariance(
    step_twist: np.ndarray,
    *,
    translation_noise: float,
    translation_floor: float = 0.0,
    rotation_noise: float,
    rotation_floor: float = 0.0,
) -> np.ndarray:
    """Covariance (6, 6) of one step, the same in every direction.

    step_twist: (6,) logarithm of the step, translation [m] then rotation [rad]. The standard deviations are
    translation_noise and rotation_noise, as shares of the step's length and angle, plus the floors [m, rad].
    """
    length, angle = np.linalg.norm(step_twist[:3]), np.linalg.norm(step_twist[3:])
    translation = (translation_noise * length) ** 2 + translation_floor**2
    rotation = (rotation_noise * angle) ** 2 + rotation_floor**2
    return np.diag([translation] * 3 + [rotation] * 3)


def turn_axes(R_target_source: np.ndarray) -> np.ndarray:
    """Matrix (6, 6) that takes errors in the source's axes to the target's."""
    turn = np.zeros((6, 6))
    turn[:3, :3] = turn[3:, 3:] = R_target_source
    return turn


def in_axes(covariance: np.ndarray, R_target_source: np.ndarray) -> np.ndarray:
    """A covariance (6, 6) in the source's axes, expressed in the target's."""
    turn = turn_axes(R_target_source)
    return turn @ covariance @ turn.T


def move_origin(offset: np.ndarray) -> np.ndarray:
    """Matrix (6, 6) that takes the errors of a pose to those of a point at `offset` (3,), rigidly fixed to it."""
    lever = np.eye(6)
    lever[:3, 3:] = -skew(offset)
    return lever


def symmetric(matrix: np.ndarray) -> np.ndarray:
    """The symmetric part of a matrix: removes rounding errors from a covariance."""
    return (matrix + matrix.T) / 2


def propagate(covariance: np.ndarray, rotation: np.ndarray, translation: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Pose covariance after a step: first-order propagation through p' = p + R t, R' = R dR.

    covariance: (6, 6) of the pose before. rotation: R (3, 3) of that pose. translation: t (3,) of the step in the
    moving frame. step: (6, 6) covariance of the step in the moving frame.
    """
    lever, turn = move_origin(rotation @ translation), turn_axes(rotation)
    return symmetric(lever @ covariance @ lever.T + turn @ step @ turn.T)


def along(error: np.ndarray) -> np.ndarray:
    """Covariance (6, 6) of a translation error with one cause, whose standard deviation is `error` (3,)."""
    covariance = np.zeros((6, 6))
    covariance[:3, :3] = np.outer(error, error)
    return covariance
