# SPDX-License-Identifier: Apache-2.0
"""Covariances (6, 6) of motions by features; docs/odometry.md compares them with measured errors."""

import numpy as np

from monodepth_ros.geometry.motion import log_se3
from monodepth_ros.odometry.covariance import step_covariance
from monodepth_ros.odometry.gyro.gyro import Turn

# The bundle adjustment's covariance assumes independent pixel errors. Errors of calibration and depth, which are the
# same for a whole window, are added. Calibration: shares of the step's length, in every direction, and of its angle.
CALIBRATION_TRANSLATION, CALIBRATION_ROTATION = 0.005, 0.01
# Depth scales the whole step. Its error is this share of the scatter of the network's depth about the points' depth:
# the network's errors are the same within parts of the image, as if each image held about 25 independent depths.
DEPTH_SHARE = 0.2
# Error of a bridged translation: shares of its length and of the points' median depth.
BRIDGE_LENGTH, BRIDGE_DEPTH = 0.5, 0.005
STILL_SHARE = 0.1  # share of the flow that counts as standstill


def systematic_noise(step: np.ndarray, depth_scatter: float) -> np.ndarray:
    """What calibration and depth add to the covariance of a measured step (4, 4), in the axes of its start.

    depth_scatter: standard deviation of the logarithm of the network's depth about the points' depth.
    """
    noise = step_covariance(
        log_se3(step), translation_noise=CALIBRATION_TRANSLATION, rotation_noise=CALIBRATION_ROTATION
    )
    noise[:3, :3] += (DEPTH_SHARE * depth_scatter) ** 2 * np.outer(step[:3, 3], step[:3, 3])
    return noise


def bridged_noise(step: np.ndarray, turn: Turn, depth: float) -> np.ndarray:
    """Covariance of a bridged step (4, 4), in the axes of its end; depth: the points' median depth."""
    sigma = BRIDGE_LENGTH * np.linalg.norm(step[:3, 3]) + BRIDGE_DEPTH * depth
    covariance = np.diag([sigma**2] * 3 + [0.0] * 3)
    covariance[3:, 3:] = turn.covariance
    return covariance


def still_noise(flow_angle: float, depth: float) -> np.ndarray:
    """Covariance of standstill: motions too small to detect.

    flow_angle: the flow that still counts as standstill [rad]. depth: the points' median depth.
    """
    angle = STILL_SHARE * flow_angle
    return np.diag([(angle * depth) ** 2] * 3 + [angle**2] * 3)
