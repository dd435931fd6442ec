# SPDX-License-Identifier: Apache-2.0
"""The camera's odometry seen from the robot's base."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.geometry.motion import adjoint, invert
from monodepth_ros.odometry.covariance import cross_matrix
from monodepth_ros.odometry.visual_odometry import OdometryEstimate


@dataclass(frozen=True)
class BaseOdometry:
    """Pose and velocity of the moving frame, in the axes that nav_msgs/Odometry wants.

    T_odom_base: (4, 4). pose_covariance: (6, 6) in odom axes. twist: (6,) and twist_covariance: (6, 6) in base axes.
    """

    T_odom_base: np.ndarray
    pose_covariance: np.ndarray
    twist: np.ndarray
    twist_covariance: np.ndarray


def express_in_base(estimate: OdometryEstimate, T_odom_start: np.ndarray, T_base_camera: np.ndarray) -> BaseOdometry:
    """Move an estimate from the camera to the base.

    T_odom_start: (4, 4) the camera's pose in the odom frame when the trajectory began (the extrinsic of that moment, so
    that odom and base coincide there). T_base_camera: (4, 4) the extrinsic now; the two differ if the camera pans.
    """
    T_camera_base = invert(T_base_camera)
    T_odom_camera = T_odom_start @ estimate.T_start_camera
    # The base hangs on the camera by a lever: the camera's rotation error moves it.
    lever = np.eye(6)
    lever[:3, 3:] = -cross_matrix(T_odom_camera[:3, :3] @ T_camera_base[:3, 3])
    turn = np.zeros((6, 6))
    turn[:3, :3] = turn[3:, 3:] = T_odom_start[:3, :3]
    to_odom = lever @ turn
    to_base = adjoint(T_base_camera)
    return BaseOdometry(
        T_odom_base=T_odom_camera @ T_camera_base,
        pose_covariance=_symmetric(to_odom @ estimate.pose_covariance @ to_odom.T),
        twist=to_base @ estimate.twist,
        twist_covariance=_symmetric(to_base @ estimate.twist_covariance @ to_base.T),
    )


def _symmetric(matrix: np.ndarray) -> np.ndarray:
    return (matrix + matrix.T) / 2
