# SPDX-License-Identifier: Apache-2.0
"""Running estimate of a factor: the median over a time window, and its uncertainty."""

import math
from collections import deque

import numpy as np

# The scale of a network drifts with the scene: standard deviation of its logarithm as a random walk [1/sqrt(s)].
DRIFT = 0.01
# Neighbouring frames have similar errors: this many measurements count as one.
CORRELATED = 8
# Assumed spread of single measurements (of the logarithm) until there are enough to estimate it.
USUAL_SPREAD = 0.15
# Number of measurements needed to estimate their spread.
ENOUGH = 10
MAX_ENTRIES = 600
OUTLIER = 2.5  # deviation of an outlier, in spreads
MAD_TO_SIGMA = 1.4826  # standard deviation of normal errors over their median absolute deviation


class FactorWindow:
    """The median factor of the last 2 x time_constant seconds with measurements.

    A median over twice the time constant follows a change with a delay of the time constant, and tolerates up to half
    of the measurements being wrong. systematic: error that averaging does not remove, as a share of the factor.
    held_after [s]: after this time without a measurement the value is held: it stays, and its variance grows by DRIFT^2
    per second.
    """

    def __init__(self, time_constant: float, systematic: float, held_after: float):
        self._time_constant = time_constant
        self._systematic = systematic
        self._held_after = held_after
        self._entries: deque[tuple[int, float, float]] = deque(maxlen=MAX_ENTRIES)
        self._measured_ns = self._now_ns = 0
        self._log_factor = self._spread = math.nan

    def measure(self, stamp_ns: int, factor: float, weight: float) -> None:
        """Add a measurement of the factor; anything but a positive number is ignored."""
        if not (math.isfinite(factor) and factor > 0 and weight > 0):
            return
        self.advance(stamp_ns)
        oldest_ns = stamp_ns - int(2e9 * self._time_constant)
        self._entries.append((stamp_ns, math.log(factor), weight))
        while self._entries[0][0] < oldest_ns:
            self._entries.popleft()
        self._measured_ns = stamp_ns
        logs, weights = np.array([entry[1:] for entry in self._entries]).T
        middle, spread = _median_and_spread(logs, weights)
        kept = np.abs(logs - middle) <= OUTLIER * spread + 1e-9
        # Outliers are mostly on one side (wheel slip, the roof of a car) and pull even a median.
        self._log_factor, self._spread = _median_and_spread(logs[kept], weights[kept])

    def advance(self, stamp_ns: int) -> None:
        """Set the time. If it goes back (a recording that loops), the window moves along."""
        if stamp_ns < self._now_ns:
            self._entries = deque(((stamp_ns, *entry[1:]) for entry in self._entries), maxlen=MAX_ENTRIES)
            self._measured_ns = stamp_ns
        self._now_ns = stamp_ns

    @property
    def factor(self) -> float:
        """The factor, NaN before the first measurement."""
        return math.exp(self._log_factor)

    @property
    def is_held(self) -> bool:
        """Whether there has been no measurement for longer than held_after."""
        return self._seconds_since > self._held_after

    @property
    def uncertainty(self) -> float:
        """Standard deviation as a share of the factor; NaN before the first measurement."""
        count = len(self._entries)
        if not count:
            return math.nan
        spread = self._spread if count >= ENOUGH else max(self._spread, USUAL_SPREAD)
        independent = max(1.0, count / CORRELATED)
        return math.sqrt(self._systematic**2 + spread**2 / independent + DRIFT**2 * self._seconds_since)

    @property
    def _seconds_since(self) -> float:
        return (self._now_ns - self._measured_ns) * 1e-9


def _median_and_spread(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Weighted median, and the standard deviation estimated from the median distance to it."""
    middle = weighted_median(values, weights)
    return middle, MAD_TO_SIGMA * weighted_median(np.abs(values - middle), weights)


def weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """The value below which half of the weight lies, or the mean of two such values."""
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order])
    half = cumulative[-1] / 2
    low = np.searchsorted(cumulative, half)
    high = np.searchsorted(cumulative, half, side="right")
    return float((values[order[low]] + values[order[min(high, len(values) - 1)]]) / 2)
