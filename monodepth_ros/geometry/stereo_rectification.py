# SPDX-License-Identifier: Apache-2.0
"""Rectification of two calibrated cameras whose relative pose is known: R and P of each."""

from dataclasses import replace

import numpy as np

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import exp_se3, log_se3

LARGEST_ANGLE = 20.0  # degrees between the optical axes of a stereo pair
SMALLEST_SHARE = 0.9  # of the baseline along x


def rectified_pair(left: CameraModel, right: CameraModel, T_left_right: np.ndarray) -> tuple[CameraModel, CameraModel]:
    """The two cameras with R and P of a common rectification, P[0, 3] = -fx * baseline for the right one.

    T_left_right: (4, 4) pose of the right camera's optical frame [m]. Each camera turns by half of the angle between
    them, then both turn to put the baseline on the x axis (Bouguet's method, as in OpenCV's stereoRectify). Both have
    the mean of the focal lengths and principal points. The cameras are returned as they are if they form no pair: of
    unequal size, or further apart in direction than LARGEST_ANGLE, or not side by side.
    """
    twist = log_se3(T_left_right)
    baseline = float(np.linalg.norm(T_left_right[:3, 3]))
    is_pair = (left.width, left.height) == (right.width, right.height) and baseline > 0
    if not is_pair or np.degrees(np.linalg.norm(twist[3:])) > LARGEST_ANGLE:
        return left, right
    half = exp_se3(np.concatenate((np.zeros(3), 0.5 * twist[3:])))[:3, :3]  # R_left_middle
    direction = half.T @ T_left_right[:3, 3] / baseline
    if direction[0] < SMALLEST_SHARE:
        return left, right
    y = np.cross((0.0, 0.0, 1.0), direction)
    y /= np.linalg.norm(y)
    turn = np.array([direction, y, np.cross(direction, y)])  # R_rectified_middle
    focal = float(np.mean([left.fx, left.fy, right.fx, right.fy]))
    P = np.diag([focal, focal, 1.0]) @ np.eye(3, 4)
    P[:2, 2] = 0.5 * (left.cx + right.cx), 0.5 * (left.cy + right.cy)
    P_right = P.copy()
    P_right[0, 3] = -focal * baseline
    return replace(left, R=turn @ half.T, P=P), replace(right, R=turn @ half, P=P_right)
