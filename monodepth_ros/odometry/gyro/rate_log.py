# SPDX-License-Identifier: Apache-2.0
"""Angular rates by time, and the rotations they integrate to."""

from bisect import bisect_left

import numpy as np

from monodepth_ros.geometry.motion import axis_angle_to_rotation, rotation_to_axis_angle

GAP = 0.1  # rates further apart than this are not joined [s]
MEMORY = 20.0  # history to keep [s]
JUMP = 1.0  # a stamp further back than this starts a new recording [s]; nearer ones are late and ignored
MIN_DROPPED = 256  # old rates are dropped in pieces of at least this many, because each removal copies the rest


class RateLog:
    """Rates [rad/s] in one frame's axes, interpolated linearly.

    Rotations are those of that frame: R_start_stop (3, 3). A gap starts a new segment; segments are never joined.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Drop everything."""
        self._stamps: list[int] = []
        self._rates: list[np.ndarray] = []
        self._turned: list[np.ndarray] = []  # rotation since the start of the segment, R_start_this
        self._angles: list[np.ndarray] = []  # integral of the measured rates, without any correction
        self._segments: list[int] = []

    def add(self, stamp_ns: int, rate: np.ndarray, bias: np.ndarray) -> bool:
        """Add a measured rate (3,) and its estimated bias (3,); whether time went back and the log starts again."""
        starts_again = bool(self._stamps) and stamp_ns < self._stamps[-1] - JUMP * 1e9
        if starts_again:
            self.forget()
        if self._stamps and stamp_ns <= self._stamps[-1]:
            return starts_again
        corrected = rate - bias
        if not self._stamps:
            turned, angle, segment = np.eye(3), np.zeros(3), 0
        elif stamp_ns - self._stamps[-1] > GAP * 1e9:
            turned, angle, segment = np.eye(3), self._angles[-1], self._segments[-1] + 1
        else:
            seconds = (stamp_ns - self._stamps[-1]) * 1e-9
            step = axis_angle_to_rotation(0.5 * seconds * (self._rates[-1] + corrected))
            turned, segment = self._turned[-1] @ step, self._segments[-1]
            angle = self._angles[-1] + 0.5 * seconds * (self._rates[-1] + corrected) + seconds * bias
        self._stamps.append(stamp_ns)
        self._rates.append(corrected)
        self._turned.append(turned)
        self._angles.append(angle)
        self._segments.append(segment)
        self._drop_old(stamp_ns - int(MEMORY * 1e9))
        return starts_again

    def _drop_old(self, oldest_ns: int) -> None:
        count = bisect_left(self._stamps, oldest_ns)
        if count > MIN_DROPPED:
            for series in (self._stamps, self._rates, self._turned, self._angles, self._segments):
                del series[:count]

    @property
    def newest_ns(self) -> int | None:
        """Stamp of the newest rate."""
        return self._stamps[-1] if self._stamps else None

    def rotation(self, start_ns: int, stop_ns: int) -> np.ndarray | None:
        """R_start_stop (3, 3), or None if the two times do not lie in one segment."""
        start, stop = self._at(start_ns), self._at(stop_ns)
        if start is None or stop is None or start[2] != stop[2]:
            return None
        return start[0].T @ stop[0]

    def rate(self, stamp_ns: int) -> np.ndarray | None:
        """The rate (3,) at a time, without its bias; None if unknown."""
        found = self._at(stamp_ns)
        return None if found is None else found[1]

    def angle(self, start_ns: int, stop_ns: int) -> float:
        """Length of the integral of the measured rates between two times [rad]; NaN unless both are covered."""
        if not self._stamps or start_ns < self._stamps[0] or stop_ns > self._stamps[-1]:
            return float("nan")
        first, last = max(0, bisect_left(self._stamps, start_ns) - 1), bisect_left(self._stamps, stop_ns)
        return float(np.linalg.norm(self._angles[last] - self._angles[first]))

    def angle_series(self) -> tuple[np.ndarray, np.ndarray]:
        """Stamps (N,) [ns], and the integral of the measured rates (N, 3) [rad]: suited to comparing small turns."""
        return np.array(self._stamps, np.int64), np.array(self._angles).reshape(-1, 3)

    def _at(self, stamp_ns: int) -> tuple[np.ndarray, np.ndarray, int] | None:
        """Rotation since the start of the segment, rate, and number of the segment."""
        after = bisect_left(self._stamps, stamp_ns)
        if after == len(self._stamps):
            return None
        if self._stamps[after] == stamp_ns:
            return self._turned[after], self._rates[after], self._segments[after]
        if after == 0 or self._segments[after - 1] != self._segments[after]:
            return None
        before_ns, after_ns = self._stamps[after - 1], self._stamps[after]
        share = (stamp_ns - before_ns) / (after_ns - before_ns)
        step = rotation_to_axis_angle(self._turned[after - 1].T @ self._turned[after])
        rate = (1.0 - share) * self._rates[after - 1] + share * self._rates[after]
        return self._turned[after - 1] @ axis_angle_to_rotation(share * step), rate, self._segments[after]
