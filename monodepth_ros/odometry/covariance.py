# SPDX-License-Identifier: Apache-2.0
"""Uncertainty of a motion and of the pose it leads to, in the convention of nav_msgs/Odometry.

A 6x6 covariance is ordered (x, y, z, rotX, rotY, rotZ). Of a pose: translation error in the axes of the reference frame,
rotation error about those axes through the moving frame's origin. Of a motion: in the axes of the moving frame.
"""

import numpy as np

# The variance published while the pose is not known: large enough that every filter ignores it, and finite.
UNKNOWN_VARIANCE = 1e4


def unknown_covariance() -> np.ndarray:
    """Covariance (6, 6) of something not known."""
    return np.eye(6) * UNKNOWN_VARIANCE


def cross_matrix(vector: np.ndarray) -> np.ndarray:
    """[v]x, (3, 3): cross_matrix(v) @ w = v x w."""
    x, y, z = vector
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


def step_covariance(
    twist_step: np.ndarray,
    translation_noise: float,
    translation_floor: float,
    rotation_noise: float,
    rotation_floor: float,
) -> np.ndarray:
    """Covariance (6, 6) of one step: a share of its length (angle) plus a floor, the same in every direction.

    twist_step: (6,) logarithm of the step, translation [m] then rotation [rad].
    """
    length, angle = np.linalg.norm(twist_step[:3]), np.linalg.norm(twist_step[3:])
    translation = (translation_noise * length) ** 2 + translation_floor**2
    rotation = (rotation_noise * angle) ** 2 + rotation_floor**2
    return np.diag([translation] * 3 + [rotation] * 3)


def propagate(covariance: np.ndarray, rotation: np.ndarray, translation: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Pose covariance after a step: first-order propagation through p' = p + R t, R' = R dR.

    covariance: (6, 6) of the pose before; rotation: R (3, 3) of that pose; translation: t (3,) of the step in the moving
    frame; step: (6, 6) of the step in the moving frame.
    """
    lever = np.eye(6)
    lever[:3, 3:] = -cross_matrix(rotation @ translation)
    turn = np.zeros((6, 6))
    turn[:3, :3] = turn[3:, 3:] = rotation
    result = lever @ covariance @ lever.T + turn @ step @ turn.T
    return (result + result.T) / 2
