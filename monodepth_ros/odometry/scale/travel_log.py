# SPDX-License-Identifier: Apache-2.0
"""How far something else says that the robot has gone: its own odometry, by time."""

import threading
from bisect import bisect_left

import numpy as np

from monodepth_ros.geometry.motion import MotionError, quaternion_to_rotation, rotation_to_axis_angle

# Messages further apart than this are not joined [s]: GNSS receivers send one per second.
GAP = 1.5
# How much of the past is kept [s].
MEMORY = 30.0


class TravelLog:
    """Path length [m] and angle turned [rad] since a beginning, from poses or velocities. Safe for use by several threads.

    Poses are those of a point of the robot in any frame that holds still, velocities those of such a point in its own axes.
    Lengths are those of the camera's way once its place is known (`mount_camera`), until then of that point's. Messages that are not finite are passed over; after a gap, and after a stamp that
    goes back, a new row begins.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lever: np.ndarray | None = None
        self._forget()

    def mount_camera(self, lever: np.ndarray) -> None:
        """From now on, the camera is at (3,) [m] in the axes of what the messages tell the motion of."""
        with self._lock:
            self._lever = lever

    @property
    def is_of_camera(self) -> bool:
        """Whether lengths are those of the camera's own way, in turns too."""
        with self._lock:
            return self._lever is not None

    def _forget(self) -> None:
        self._stamps: list[int] = []
        self._lengths: list[float] = []
        self._angles: list[float] = []
        self._rows: list[int] = []  # the number of the unbroken row that each belongs to
        self._last_pose: tuple[np.ndarray, np.ndarray] | None = None
        self._last_speed: tuple[float, float] | None = None

    def add_pose(self, stamp_ns: int, position, quaternion) -> None:
        """A pose: (3,) [m], and x, y, z, w."""
        position = np.asarray(position, dtype=np.float64)
        try:
            rotation = quaternion_to_rotation(quaternion)
        except MotionError:
            return
        if not np.isfinite(position).all():
            return
        with self._lock:
            length = angle = 0.0
            if self._last_pose is not None:
                before, facing = self._last_pose
                way = position - before
                if self._lever is not None:
                    way = way + (rotation - facing) @ self._lever
                length = float(np.linalg.norm(way))
                angle = float(np.linalg.norm(rotation_to_axis_angle(facing.T @ rotation)))
            self._append(stamp_ns, length, angle)
            self._last_pose = position, rotation

    def add_velocity(self, stamp_ns: int, linear, angular) -> None:
        """A velocity: (3,) [m/s] and (3,) [rad/s]; between two of them it changes evenly."""
        linear, angular = np.asarray(linear, np.float64), np.asarray(angular, np.float64)
        if not (np.isfinite(linear).all() and np.isfinite(angular).all()):
            return
        with self._lock:
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

    def _append(self, stamp_ns: int, length: float, angle: float) -> None:
        if self._stamps and stamp_ns == self._stamps[-1]:
            return
        if self._stamps and stamp_ns < self._stamps[-1]:
            self._forget()
        if not self._stamps:
            total_length = total_angle = 0.0
            row = 0
        else:
            total_length, total_angle = self._lengths[-1] + length, self._angles[-1] + angle
            row = self._rows[-1] + (stamp_ns - self._stamps[-1] > GAP * 1e9)
        self._stamps.append(stamp_ns)
        self._lengths.append(total_length)
        self._angles.append(total_angle)
        self._rows.append(row)
        old = bisect_left(self._stamps, stamp_ns - int(MEMORY * 1e9))
        if old > 256:  # now and then, in large pieces
            for series in (self._stamps, self._lengths, self._angles, self._rows):
                del series[:old]

    def reaches(self, stamp_ns: int) -> bool:
        """Whether something is known of this time or later."""
        with self._lock:
            return bool(self._stamps) and self._stamps[-1] >= stamp_ns

    def between(self, start_ns: int, stop_ns: int) -> tuple[float, float] | None:
        """Path length [m] and angle [rad] between two times, None where they do not lie within one unbroken row."""
        with self._lock:
            start, stop = self._at(start_ns), self._at(stop_ns)
        if start is None or stop is None or start[2] != stop[2]:
            return None
        return stop[0] - start[0], stop[1] - start[1]

    def _at(self, stamp_ns: int) -> tuple[float, float, int] | None:
        after = bisect_left(self._stamps, stamp_ns)
        if after == len(self._stamps):
            return None
        if self._stamps[after] == stamp_ns:
            return self._lengths[after], self._angles[after], self._rows[after]
        if after == 0 or self._rows[after - 1] != self._rows[after]:
            return None
        before_ns, after_ns = self._stamps[after - 1], self._stamps[after]
        share = (stamp_ns - before_ns) / (after_ns - before_ns)
        length = self._lengths[after - 1] + share * (self._lengths[after] - self._lengths[after - 1])
        angle = self._angles[after - 1] + share * (self._angles[after] - self._angles[after - 1])
        return length, angle, self._rows[after]
