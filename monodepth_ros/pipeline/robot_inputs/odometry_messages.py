# SPDX-License-Identifier: Apache-2.0
"""The robot's own odometry or velocity, live or recorded, for a measured scale."""

from typing import Any

import numpy as np

from monodepth_ros.data.bags.odometry_path import OdometryPath
from monodepth_ros.errors import MonodepthError
from monodepth_ros.foreign_text import name_fault
from monodepth_ros.limits import LARGEST_LEVER
from monodepth_ros.odometry.scale.travel_log import TravelLog
from monodepth_ros.pipeline.robot_inputs.camera_mount import MountError
from monodepth_ros.stamps import nanoseconds

_PASSED_OVER = "a message is passed over: it has"

# Names of the message types without their packages, nav_msgs and geometry_msgs.
TYPES = ("Odometry", "TwistStamped", "TwistWithCovarianceStamped")


def moving_frame(message: Any) -> str:
    """The frame whose motion a message of one of TYPES describes."""
    return message.child_frame_id if hasattr(message, "pose") else message.header.frame_id


def lever_of(T_robot_camera: np.ndarray) -> np.ndarray:
    """The camera's position (3,) in the moving frame [m]; MountError for one that no robot has."""
    lever = T_robot_camera[:3, 3]
    length = float(np.linalg.norm(lever))
    if length > LARGEST_LEVER:
        raise MountError(f"TF places it {length:.3g} m from there, expected at most {LARGEST_LEVER:g} m")
    return lever


def without_lever(reason: MonodepthError) -> str:
    """The note for a camera whose position in the moving frame is unknown."""
    return f"scale: turns are left out, since the camera's position on the robot is not known: {reason}"


class OdometryMessages:
    """Adds messages of one topic of these TYPES to `travel`, in the order of their stamps.

    Some drivers of wheels fill the twist of nav_msgs/Odometry and leave its pose alone. If the twist has moved for
    TWIST_PATH and the pose has not, the twist counts from then on. remark: says so; '' otherwise. Covariances are not
    used.
    """

    def __init__(self, travel: TravelLog):
        self._travel = travel
        self._path = OdometryPath()
        self.remark = ""

    def add(self, message: Any) -> str:
        """Add the pose or velocity of a message; why one is passed over, in plain words, '' if none is."""
        fault = name_fault(moving_frame(message))
        if fault:
            return f"{_PASSED_OVER} a frame whose name {fault}"
        stamp_ns = nanoseconds(message.header.stamp)
        if stamp_ns == 0:
            return f"{_PASSED_OVER} no stamp (header.stamp is 0)"
        if hasattr(message, "pose"):
            self._path.add(message)
            if not self._path.is_of_twist:
                p, q = message.pose.pose.position, message.pose.pose.orientation
                return self._travel.add_pose(stamp_ns, (p.x, p.y, p.z), (q.x, q.y, q.z, q.w))
            self.remark = self.remark or f"{self._path.description}: the twist counts"
        twist = message.twist.twist if hasattr(message.twist, "twist") else message.twist
        v, w = twist.linear, twist.angular
        return self._travel.add_velocity(stamp_ns, (v.x, v.y, v.z), (w.x, w.y, w.z))
