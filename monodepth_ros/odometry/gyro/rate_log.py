# SPDX-License-Identifier: Apache-2.0
"""Angular rates by time, and the rotations that they add up to."""

from bisect import bisect_left

import numpy as np

from monodepth_ros.geometry.motion import axis_angle_to_rotation, rotation_to_axis_angle

GAP = 0.1  # rates further apart than this are not joined [s]
MEMORY = 20.0  # how much of the past is kept [s]
JUMP = 1.0  # a stamp that lies further back than this begins a new recording [s]; nearer ones are late and passed over


class RateLog:
    """Rates [rad/s] in one frame's axes; between two of them the rate changes evenly.

    Rotations are those of that frame: R_start_stop (3, 3). After a gap a new row begins, over which nothing is joined.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Drop everything."""
        self._stamps: list[int] = []
        self._rates: list[np.ndarray] = []
        self._turned: list[np.ndarray] = []  # R_first_this of each row
        self._angles: list[np.ndarray] = []  # the rates summed up as they are, without any correction
        self._rows: list[int] = []

    def add(self, stamp_ns: int, rate: np.ndarray, bias: np.ndarray) -> None:
        """A rate (3,) as measured, and what of it is held to be the gyro's bias (3,)."""
        if self._stamps and stamp_ns < self._stamps[-1] - JUMP * 1e9:
            self.forget()
        if self._stamps and stamp_ns <= self._stamps[-1]:
            return
        corrected = rate - bias
        if not self._stamps:
            turned, angle, row = np.eye(3), np.zeros(3), 0
        elif stamp_ns - self._stamps[-1] > GAP * 1e9:
            turned, angle, row = np.eye(3), self._angles[-1], self._rows[-1] + 1
        else:
            seconds = (stamp_ns - self._stamps[-1]) * 1e-9
            step = axis_angle_to_rotation(0.5 * seconds * (self._rates[-1] + corrected))
            turned, row = self._turned[-1] @ step, self._rows[-1]
            angle = self._angles[-1] + 0.5 * seconds * (self._rates[-1] + corrected) + seconds * bias
        for series, value in (
            (self._stamps, stamp_ns), (self._rates, corrected), (self._turned, turned),
            (self._angles, angle), (self._rows, row),
        ):  # fmt: skip
            series.append(value)
        old = bisect_left(self._stamps, stamp_ns - int(MEMORY * 1e9))
        if old > 256:  # now and then, in large pieces
            for series in (self._stamps, self._rates, self._turned, self._angles, self._rows):
                del series[:old]

    @property
    def newest_ns(self) -> int | None:
        """Stamp of the newest rate."""
        return self._stamps[-1] if self._stamps else None

    def rotation(self, start_ns: int, stop_ns: int) -> np.ndarray | None:
        """R_start_stop (3, 3), None where the two do not lie within one row."""
        start, stop = self._at(start_ns), self._at(stop_ns)
        if start is None or stop is None or start[2] != stop[2]:
            return None
        return start[0].T @ stop[0]

    def rate(self, stamp_ns: int) -> np.ndarray | None:
        """The rate (3,) at a time without its bias, None where it is not known."""
        found = self._at(stamp_ns)
        return None if found is None else found[1]

    def angle_series(self) -> tuple[np.ndarray, np.ndarray]:
        """Stamps (N,) [ns], and the measured rates summed up over time (N, 3) [rad]: good for comparing small turns."""
        return np.array(self._stamps, np.int64), np.array(self._angles).reshape(-1, 3)

    def _at(self, stamp_ns: int) -> tuple[np.ndarray, np.ndarray, int] | None:
        """Rotation since the row's beginning, rate, and number of the row."""
        after = bisect_left(self._stamps, stamp_ns)
        if after == len(self._stamps):
            return None
        if self._stamps[after] == stamp_ns:
            return self._turned[after], self._rates[after], self._rows[after]
        if after == 0 or self._rows[after - 1] != self._rows[after]:
            return None
        before_ns, after_ns = self._stamps[after - 1], self._stamps[after]
        share = (stamp_ns - before_ns) / (after_ns - before_ns)
        step = rotation_to_axis_angle(self._turned[after - 1].T @ self._turned[after])
        rate = (1.0 - share) * self._rates[after - 1] + share * self._rates[after]
        return self._turned[after - 1] @ axis_angle_to_rotation(share * step), rate, self._rows[after]
