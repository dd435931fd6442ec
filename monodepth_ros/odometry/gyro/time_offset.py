# SPDX-License-Identifier: Apache-2.0
"""Time offset between the clocks of camera and gyro, estimated from turns that both measure."""

import math
from collections import deque

import numpy as np

WINDOW = 15.0  # turns to compare [s]
PERIOD = 2.0  # time between two estimates [s]
LARGEST = 0.3  # largest difference from the given offset that is searched [s]
STEP = 0.01  # of the search [s]
MIN_PAIRS = 30
INITIAL_SIGMA = 0.03  # standard deviation before the first estimate [s]
MIN_SIGMA = 0.001  # [s]
ACCEPTED_SIGMA = 0.01  # [s]
TRIMMED = 0.9  # share of the turns that count: images are wrong now and then
UNEXPLAINED = 0.3  # largest share of the turns' variance that an accepted offset may leave
CORRELATED = 4  # neighbouring turns have similar errors: this many count as one
WANDER = 0.001  # expected change of the offset between two estimates [s]


class TimeOffset:
    """Time to add to an image's stamp to get the gyro's stamp of the same moment.

    given: initial value [s]. is_estimated: search for the offset within LARGEST of it. value, sigma: the offset now and
    its standard deviation [s].
    """

    def __init__(self, given: float, is_estimated: bool):
        self._given, self._is_estimated = given, is_estimated
        self.value, self.sigma = given, INITIAL_SIGMA if is_estimated else 0.0
        self._turns: deque[tuple[int, int, np.ndarray]] = deque()
        self._estimated_ns = 0

    def forget_turns(self) -> None:
        """Drop the turns collected so far: time went back."""
        self._turns.clear()
        self._estimated_ns = 0

    def wants_estimate(self, start_ns: int, stop_ns: int, turn: np.ndarray) -> bool:
        """Collect a turn (3,) [rad] between two images; whether `estimate` is due."""
        if not self._is_estimated:
            return False
        self._turns.append((start_ns, stop_ns, turn))
        while self._turns[0][0] < stop_ns - WINDOW * 1e9:
            self._turns.popleft()
        if len(self._turns) < MIN_PAIRS or stop_ns - self._estimated_ns < PERIOD * 1e9:
            return False
        self._estimated_ns = stop_ns
        return True

    def estimate(self, stamps: np.ndarray, angles: np.ndarray) -> None:
        """Update the offset, given the integral of the gyro's rates (see RateLog.angle_series).

        stamps: (N,) [ns]. angles: (N, 3) [rad].
        """
        found = self._best(stamps, angles)
        if found is None:
            return
        value, sigma = found
        variance = self.sigma**2 + WANDER**2
        gain = variance / (variance + sigma**2)
        self.value += gain * (value - self.value)
        self.sigma = max(MIN_SIGMA, math.sqrt((1.0 - gain) * variance))

    def _best(self, stamps: np.ndarray, angles: np.ndarray) -> tuple[float, float] | None:
        """The offset at which turns and rates agree best, and its standard deviation; None if it is ambiguous."""
        if not len(stamps):
            return None
        begin = stamps[0]
        seconds = (stamps - begin) * 1e-9
        start, stop = ((np.array([turn[i] for turn in self._turns]) - begin) * 1e-9 + self._given for i in (0, 1))
        inside = (start - LARGEST > seconds[0]) & (stop + LARGEST < seconds[-1])
        if inside.sum() < MIN_PAIRS:
            return None
        start, stop = start[inside], stop[inside]
        seen = np.array([turn[2] for turn in self._turns])[inside] / (stop - start)[:, None]
        offsets = np.arange(-round(LARGEST / STEP), round(LARGEST / STEP) + 1) * STEP
        costs = np.array([_cost(seen - _rates(seconds, angles, start + x, stop + x)) for x in offsets])
        best = int(costs.argmin())
        if best in (0, len(offsets) - 1) or costs[best] > UNEXPLAINED * _cost(seen):
            return None
        before, least, after = costs[best - 1 : best + 2]
        curvature = (before + after - 2.0 * least) / STEP**2
        if curvature <= 0:
            return None
        shift = 0.5 * STEP * (before - after) / (before + after - 2.0 * least)
        # Least squares: the variance of the offset is the residuals' variance over the sum of the squared slopes.
        sigma = math.sqrt(least / (0.5 * curvature * len(seen) / CORRELATED))
        return (self._given + offsets[best] + shift, max(sigma, MIN_SIGMA)) if sigma < ACCEPTED_SIGMA else None


def _rates(seconds: np.ndarray, angles: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Mean rates (M, 3) [rad/s] between start and stop (M,), given the integral of the rates (N, 3) at seconds (N,)."""
    turned = [np.interp(stop, seconds, axis) - np.interp(start, seconds, axis) for axis in angles.T]
    return np.stack(turned, axis=-1) / (stop - start)[:, None]


def _cost(residual: np.ndarray) -> float:
    """Mean squared length of residuals (N, 3) about their median (the gyro's bias), without the largest ones."""
    squared = np.sort(((residual - np.median(residual, axis=0)) ** 2).sum(axis=1))
    return float(squared[: max(1, round(TRIMMED * len(squared)))].mean())
