# SPDX-License-Identifier: Apache-2.0
"""The camera's odometry, expressed for the robot's base."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.geometry.motion import adjoint, invert, make_transform
from monodepth_ros.odometry.covariance import move_origin, symmetric, turn_axes
from monodepth_ros.odometry.visual_odometry import OdometryEstimate


@dataclass(frozen=True)
class BaseOdometry:
    """Pose and velocity of the moving frame, in the axes of nav_msgs/Odometry.

    T_odom_base: (4, 4). pose_covariance: (6, 6) in odom axes. twist: (6,) and twist_covariance: (6, 6) in base axes.
    """

    T_odom_base: np.ndarray
    pose_covariance: np.ndarray
    twist: np.ndarray
    twist_covariance: np.ndarray


def extrinsic_for(estimate: OdometryEstimate, T: np.ndarray) -> np.ndarray:
    """An extrinsic (4, 4) in the estimate's unit of length: without its translation [m] if that is not the metre."""
    return T if estimate.is_metric else make_transform(T[:3, :3], (0.0, 0.0, 0.0))


def express_in_base(estimate: OdometryEstimate, T_odom_start: np.ndarray, T_base_camera: np.ndarray) -> BaseOdometry:
    """Convert the camera's estimate to the base.

    T_odom_start: (4, 4) the camera's pose in the odom frame at the start of the trajectory: the extrinsic at that
    moment, so odom and base coincide there. T_base_camera: (4, 4) the extrinsic now; it differs from the first if the
    camera pans. The extrinsics are metric: for an estimate in network units only their rotations are used, as if the
    camera were in the base's origin.
    """
    T_odom_start, T_base_camera = (extrinsic_for(estimate, T) for T in (T_odom_start, T_base_camera))
    T_camera_base = invert(T_base_camera)
    T_odom_camera = T_odom_start @ estimate.T_start_camera
    # The lever from camera to base turns the camera's rotation error into a translation error of the base.
    lever = move_origin(T_odom_camera[:3, :3] @ T_camera_base[:3, 3])
    to_odom = lever @ turn_axes(T_odom_start[:3, :3])
    to_base = adjoint(T_base_camera)
    return BaseOdometry(
        T_odom_base=T_odom_camera @ T_camera_base,
        pose_covariance=symmetric(to_odom @ estimate.pose_covariance @ to_odom.T),
        twist=to_base @ estimate.twist,
        twist_covariance=symmetric(to_base @ estimate.twist_covariance @ to_base.T),
    )
