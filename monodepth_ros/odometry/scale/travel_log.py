# SPDX-License-Identifier: Apache-2.0
"""Path length and turned angle by time, from the robot's own odometry."""

import threading
from bisect import bisect_left

import numpy as np
from numpy.typing import ArrayLike

from monodepth_ros.geometry.motion import MotionError, quaternion_to_rotation, rotation_to_axis_angle

# Messages further apart than this are not joined [s]; GNSS receivers send one per second.
GAP = 1.5
# A message up to this much older than the newest has only arrived late: it is left out [s].
LATE = 0.25
# History to keep [s].
MEMORY = 30.0
# Old entries are dropped in pieces of at least this many, because each removal copies the rest.
MIN_DROPPED = 256


class TravelLog:
    """Path length [m] and turned angle [rad] since the start, from poses or velocities. Safe for several threads.

    Poses are those of a point of the robot in any fixed frame; velocities are those of such a point in its own axes.
    Lengths are those of that point's path, or of the camera's once its place is known (`mount_camera`). Messages that
    are not finite are ignored, and so are those that arrived out of order. A gap, or a stamp that goes back further,
    starts a new segment.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lever: np.ndarray | None = None
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
        self._last_pose: tuple[np.ndarray, np.ndarray] | None = None
        self._last_speed: tuple[float, float] | None = None

    def add_pose(self, stamp_ns: int, position: ArrayLike, quaternion: ArrayLike) -> None:
        """Add a pose: position (3,) [m], and quaternion (4,) x, y, z, w."""
        position = np.asarray(position, dtype=np.float64)
        try:
            rotation = quaternion_to_rotation(quaternion)
        except MotionError:
            return
        if not np.isfinite(position).all():
            return
        with self._lock:
            if self._is_late(stamp_ns):
                return
            length = angle = 0.0
            if self._last_pose is not None:
                position_before, rotation_before = self._last_pose
                way = position - position_before
                if self._lever is not None:
                    way = way + (rotation - rotation_before) @ self._lever
                length = float(np.linalg.norm(way))
                angle = float(np.linalg.norm(rotation_to_axis_angle(rotation_before.T @ rotation)))
            self._append(stamp_ns, length, angle)
            self._last_pose = position, rotation

    def add_velocity(self, stamp_ns: int, linear: ArrayLike, angular: ArrayLike) -> None:
        """Add a velocity: (3,) [m/s] and (3,) [rad/s]; it is interpolated linearly."""
        linear, angular = np.asarray(linear, np.float64), np.asarray(angular, np.float64)
        if not (np.isfinite(linear).all() and np.isfinite(angular).all()):
            return
        with self._lock:
            if self._is_late(stamp_ns):
                return
            if self._lever is not None:
                linear = linear + np.cross(angular, self._lever)
            speed, turn_rate = float(np.linalg.norm(linear)), float(np.linalg.norm(angular))
            length = angle = 0.0
            if self._last_speed is not None and self._stamps:
                seconds = (stamp_ns - self._stamps[-1]) * 1e-9
                length = 0.5 * (self._last_speed[0] + speed) * seconds
                angle = 0.5 * (self._last_speed[1] + turn_rate) * seconds
            self._append(stamp_ns, length, angle)
            self._last_speed = speed, turn_rate

    def _is_late(self, stamp_ns: int) -> bool:
        return bool(self._stamps) and 0 < self._stamps[-1] - stamp_ns <= LATE * 1e9

    def _append(self, stamp_ns: int, length: float, angle: float) -> None:
        if self._stamps and stamp_ns == self._stamps[-1]:
            return
        if self._stamps and stamp_ns < self._stamps[-1]:
            self._forget()
        if not self._stamps:
            total_length = total_angle = 0.0
            segment = 0
        else:
            total_length, total_angle = self._lengths[-1] + length, self._angles[-1] + angle
            segment = self._segments[-1] + (stamp_ns - self._stamps[-1] > GAP * 1e9)
        self._stamps.append(stamp_ns)
        self._lengths.append(total_length)
        self._angles.append(total_angle)
        self._segments.append(segment)
        old = bisect_left(self._stamps, stamp_ns - int(MEMORY * 1e9))
        if old > MIN_DROPPED:
            for series in (self._stamps, self._lengths, self._angles, self._segments):
                del series[:old]

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
