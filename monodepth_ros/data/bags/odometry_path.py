# SPDX-License-Identifier: Apache-2.0
"""Whether the poses of odometry messages move as their twists say."""

from typing import Any

import numpy as np

from monodepth_ros.geometry.motion import exp_se3
from monodepth_ros.limits import LARGEST_POSITION, LARGEST_SPEED, LARGEST_TURN_RATE
from monodepth_ros.stamps import nanoseconds

# Way by the twists after which the poses must have moved too, and the least share of it [m, 1].
TWIST_PATH, MOVING_SHARE = 0.5, 0.02
# Messages further apart than this are not joined [s].
GAP = 1.0


class OdometryPath:
    """Way of nav_msgs/Odometry messages by their poses and by their twists, and the poses that the twists give.

    T: (4, 4) integral of the twists since the first message, in the moving frame at that time. is_of_twist: whether the
    twists have moved for TWIST_PATH [m], and the poses for less than MOVING_SHARE of it.
    """

    def __init__(self) -> None:
        self.T = np.eye(4)
        self._by_pose = self._by_twist = 0.0
        self._last: tuple[int, np.ndarray, np.ndarray] | None = None

    def add(self, message: Any) -> None:
        """Add a message; one that is not later than the one before, or whose twist no robot has, is ignored.

        A pose that is none (not finite, or a quaternion of zeros) does not move, and neither does one that jumps.
        """
        stamp_ns = nanoseconds(message.header.stamp)
        v, w = message.twist.twist.linear, message.twist.twist.angular
        twist = np.array([v.x, v.y, v.z, w.x, w.y, w.z])
        if not ((np.abs(twist[:3]) <= LARGEST_SPEED).all() and (np.abs(twist[3:]) <= LARGEST_TURN_RATE).all()):
            return
        position = _position(message.pose.pose)
        if position is None:
            position = np.zeros(3) if self._last is None else self._last[1]
        if self._last is not None:
            before_ns, position_before, twist_before = self._last
            seconds = (stamp_ns - before_ns) * 1e-9
            if seconds <= 0:
                return
            if seconds <= GAP:
                step = 0.5 * (twist + twist_before) * seconds
                self.T = self.T @ exp_se3(step)
                self._by_twist += float(np.linalg.norm(step[:3]))
                way = float(np.linalg.norm(position - position_before))
                self._by_pose += way if way <= LARGEST_SPEED * seconds else 0.0
        self._last = stamp_ns, position, twist

    @property
    def is_decided(self) -> bool:
        """Whether poses or twists have moved far enough to tell."""
        return max(self._by_pose, self._by_twist) >= TWIST_PATH

    @property
    def is_of_twist(self) -> bool:
        return self._by_twist >= TWIST_PATH and self._by_pose < MOVING_SHARE * self._by_twist

    @property
    def description(self) -> str:
        """The two ways in words."""
        return f"the odometry's poses never move ({self._by_pose:.2g} m), though its twist says {self._by_twist:.2g} m"


def _position(pose: Any) -> np.ndarray | None:
    """Position (3,) [m] of a geometry_msgs/Pose; None if it is out of bounds, or the quaternion is zero."""
    p, q = pose.position, pose.orientation
    position, quaternion = np.array([p.x, p.y, p.z]), np.array([q.x, q.y, q.z, q.w])
    is_pose = (np.abs(position) <= LARGEST_POSITION).all() and np.isfinite(quaternion).all() and quaternion.any()
    return position if is_pose else None
