# SPDX-License-Identifier: Apache-2.0
"""Path length and turned angle by time, from the robot's own odometry."""

import math
import threading
from bisect import bisect_left
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from monodepth_ros.geometry.motion import (
    MotionError,
    checked_position,
    quaternion_to_rotation,
    rotation_to_axis_angle,
)
from monodepth_ros.limits import LARGEST_SPEED, LARGEST_TURN_RATE
from monodepth_ros.odd_samples import OddSamples

# Messages further apart than this are not joined [s]; GNSS receivers send one per second.
GAP = 1.5
# History to keep [s].
MEMORY = 30.0
# Old entries are dropped in pieces of at least this many, because each removal copies the rest.
MIN_DROPPED = 256


class _Pose(NamedTuple):
    """Position (3,) [m] and rotation (3, 3) of the robot at a stamp."""

    stamp_ns: int
    position: np.ndarray
    rotation: np.ndarray


class _Velocity(NamedTuple):
    """Velocity (3,) [m/s] and (3,) [rad/s] of the robot at a stamp."""

    stamp_ns: int
    linear: np.ndarray
    angular: np.ndarray


class TravelLog:
    """Path length [m] and turned angle [rad] since the start, from poses or velocities. Safe for several threads.

    Poses are those of a point of the robot in any fixed frame; velocities are those of such a point in its own axes.
    Lengths are those of that point's path, or of the camera's once its place is known (`mount_camera`). What no robot
    does (numbers that are not finite, an absurd speed) is passed over, and so is a single message whose stamp or pose
    does not continue those before it; the next message decides (see `OddSamples`). A gap, a stamp that goes back and a
    pose that has jumped for good start a new segment.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lever: np.ndarray | None = None
        self._poses: OddSamples[_Pose] = OddSamples(lambda a, b: _wrong_time(a, b) or _jump(a, b))
        self._velocities: OddSamples[_Velocity] = OddSamples(_wrong_time)
        self._forget()

    def mount_camera(self, lever: np.ndarray) -> None:
        """Set the camera's position (3,) [m] in the frame whose motion the messages report.

        From then on, lengths are those of the camera's path.
        """
        with self._lock:
            self._lever = lever

    @property
    def is_of_camera(self) -> bool:
        """Whether lengths are those of the camera's own path."""
        with self._lock:
            return self._lever is not None

    def _forget(self) -> None:
        self._stamps: list[int] = []
        self._lengths: list[float] = []
        self._angles: list[float] = []
        self._segments: list[int] = []  # number of the segment without gaps
        self._last_pose: _Pose | None = None
        self._last_speed: tuple[float, float] | None = None

    def add_pose(self, stamp_ns: int, position: ArrayLike, quaternion: ArrayLike) -> str:
        """Add a pose: position (3,) [m], and quaternion (4,) x, y, z, w; why one is passed over, '' if none is."""
        try:
            pose = _Pose(stamp_ns, checked_position("position", position), quaternion_to_rotation(quaternion))
        except MotionError as error:
            return f"a pose is passed over: {error}"
        with self._lock:
            poses, reason = self._poses.admit(pose)
            for pose in poses:
                self._add_pose(pose)
        return f"a pose is passed over: {reason}" if reason else ""

    def _add_pose(self, pose: _Pose) -> None:
        last, length, angle = self._last_pose, 0.0, 0.0
        if last is not None:
            way = pose.position - last.position
            if self._lever is not None:
                way = way + (pose.rotation - last.rotation) @ self._lever
            length = float(np.linalg.norm(way))
            angle = float(np.linalg.norm(rotation_to_axis_angle(last.rotation.T @ pose.rotation)))
        has_jumped = last is not None and bool(_jump(last, pose))
        self._append(pose.stamp_ns, 0.0 if has_jumped else length, angle, has_jumped)
        self._last_pose = pose

    def add_velocity(self, stamp_ns: int, linear: ArrayLike, angular: ArrayLike) -> str:
        """Add a velocity: (3,) [m/s] and (3,) [rad/s]; it is interpolated linearly. The result is that of add_pose."""
        velocity = _Velocity(stamp_ns, np.asarray(linear, np.float64), np.asarray(angular, np.float64))
        speed, turn_rate = math.hypot(*velocity.linear.tolist()), math.hypot(*velocity.angular.tolist())
        if not (speed <= LARGEST_SPEED and turn_rate <= LARGEST_TURN_RATE):
            return (
                f"a velocity of {speed:.3g} m/s and {turn_rate:.3g} rad/s is passed over, expected at most "
                f"{LARGEST_SPEED:g} m/s and {LARGEST_TURN_RATE:g} rad/s"
            )
        with self._lock:
            velocities, reason = self._velocities.admit(velocity)
            for velocity in velocities:
                self._add_velocity(velocity)
        return f"a velocity is passed over: {reason}" if reason else ""

    def _add_velocity(self, velocity: _Velocity) -> None:
        linear = velocity.linear
        if self._lever is not None:
            linear = linear + np.cross(velocity.angular, self._lever)
        speed, turn_rate = float(np.linalg.norm(linear)), float(np.linalg.norm(velocity.angular))
        length = angle = 0.0
        if self._last_speed is not None and self._stamps:
            seconds = (velocity.stamp_ns - self._stamps[-1]) * 1e-9
            length = 0.5 * (self._last_speed[0] + speed) * seconds
            angle = 0.5 * (self._last_speed[1] + turn_rate) * seconds
        self._append(velocity.stamp_ns, length, angle)
        self._last_speed = speed, turn_rate

    def _append(self, stamp_ns: int, length: float, angle: float, has_jumped: bool = False) -> None:
        if self._stamps and stamp_ns == self._stamps[-1]:
            return
        if self._stamps and stamp_ns < self._stamps[-1]:
            self._forget()
        if not self._stamps:
            total_length = total_angle = 0.0
            segment = 0
        else:
            total_length, total_angle = self._lengths[-1] + length, self._angles[-1] + angle
            segment = self._segments[-1] + (has_jumped or stamp_ns - self._stamps[-1] > GAP * 1e9)
        self._stamps.append(stamp_ns)
        self._lengths.append(total_length)
        self._angles.append(total_angle)
        self._segments.append(segment)
        old = bisect_left(self._stamps, stamp_ns - int(MEMORY * 1e9))
        if old > MIN_DROPPED:
            for series in (self._stamps, self._lengths, self._angles, self._segments):
                del series[:old]

    @property
    def newest_ns(self) -> int | None:
        """Stamp of the newest message; None before the first one."""
        with self._lock:
            return self._stamps[-1] if self._stamps else None

    def reaches(self, stamp_ns: int) -> bool:
        """Whether there is a message of this time or later."""
        with self._lock:
            return bool(self._stamps) and self._stamps[-1] >= stamp_ns

    def between(self, start_ns: int, stop_ns: int) -> tuple[float, float] | None:
        """Path length [m] and angle [rad] between two times, or None if they do not lie in one segment."""
        with self._lock:
            start, stop = self._at(start_ns), self._at(stop_ns)
        if start is None or stop is None or start[2] != stop[2]:
            return None
        return stop[0] - start[0], stop[1] - start[1]

    def _at(self, stamp_ns: int) -> tuple[float, float, int] | None:
        """Path length, angle and segment at a time."""
        after = bisect_left(self._stamps, stamp_ns)
        if after == len(self._stamps):
            return None
        if self._stamps[after] == stamp_ns:
            return self._lengths[after], self._angles[after], self._segments[after]
        if after == 0 or self._segments[after - 1] != self._segments[after]:
            return None
        before_ns, after_ns = self._stamps[after - 1], self._stamps[after]
        share = (stamp_ns - before_ns) / (after_ns - before_ns)
        length = self._lengths[after - 1] + share * (self._lengths[after] - self._lengths[after - 1])
        angle = self._angles[after - 1] + share * (self._angles[after] - self._angles[after - 1])
        return length, angle, self._segments[after]


def _wrong_time(before: _Pose | _Velocity, sample: _Pose | _Velocity) -> str:
    """Why the stamp of a sample does not follow the one before; '' if it does."""
    seconds = (sample.stamp_ns - before.stamp_ns) * 1e-9
    if 0 < seconds <= GAP:
        return ""
    how = "that of" if seconds == 0 else f"{abs(seconds):.3g} s {'ahead of' if seconds > 0 else 'behind'}"
    return f"its stamp {sample.stamp_ns * 1e-9:.3f} s is {how} the one before"


def _jump(before: _Pose, pose: _Pose) -> str:
    """How far a pose has jumped; '' for a way that a robot can make."""
    way, seconds = float(np.linalg.norm(pose.position - before.position)), (pose.stamp_ns - before.stamp_ns) * 1e-9
    return f"it jumps by {way:.3g} m within {seconds:.3g} s" if way > LARGEST_SPEED * abs(seconds) else ""
