# SPDX-License-Identifier: Apache-2.0
"""The samples of a gyro before they are used: absurd rates, wrong stamps and spikes are passed over."""

import math
from collections import deque
from typing import NamedTuple

import numpy as np

from monodepth_ros.limits import LARGEST_TURN_ACCELERATION, LARGEST_TURN_RATE
from monodepth_ros.odd_samples import OddSamples
from monodepth_ros.odometry.gyro.rate_log import GAP

# Differences of stamps below this are those of a driver that sends its samples in packets [s].
SHORTEST = 1e-3
# Turns seen by images that are compared with the rates' integral, their least angle [rad], and the number needed.
TURNS, LEAST, ENOUGH = 25, 0.005, 10
# Share by which the ratio of both may differ from that of degrees and radians.
NEAR = 0.25


class RateSample(NamedTuple):
    """A measured rate (3,) [rad/s] and its stamp."""

    stamp_ns: int
    rate: np.ndarray


class RateSamples:
    """Passes over samples that no gyro measures, and single ones that do not continue the series.

    A sample is odd if its stamp does not follow the one before within GAP, or if its rate cannot be reached in that
    time; the next one decides (see `OddSamples`).
    """

    def __init__(self) -> None:
        self._series: OddSamples[RateSample] = OddSamples(_against)

    def admit(self, stamp_ns: int, rate: np.ndarray) -> tuple[list[RateSample], str]:
        """The samples to use now, and why one is passed over, in plain words ('' if none is)."""
        if not np.isfinite(rate).all():
            return [], "a rate that is not finite is passed over"
        speed = math.hypot(*rate.tolist())
        if speed > LARGEST_TURN_RATE:
            return [], (
                f"a rate of {speed:.3g} rad/s is passed over, expected at most {LARGEST_TURN_RATE:g} (rad/s, not "
                "degrees)"
            )
        samples, reason = self._series.admit(RateSample(stamp_ns, rate))
        return samples, f"a sample is passed over: {reason}" if reason else ""


def _against(before: RateSample, sample: RateSample) -> str:
    seconds = (sample.stamp_ns - before.stamp_ns) * 1e-9
    if seconds == 0:
        return f"its stamp {sample.stamp_ns * 1e-9:.3f} s is that of the one before"
    if not 0 < seconds <= GAP:
        way = "ahead of" if seconds > 0 else "behind"
        return f"its stamp {sample.stamp_ns * 1e-9:.3f} s is {abs(seconds):.3g} s {way} the one before"
    jump = float(np.linalg.norm(sample.rate - before.rate))
    if jump > LARGEST_TURN_ACCELERATION * max(seconds, SHORTEST):
        return f"its rate jumps by {jump:.3g} rad/s within {1e3 * seconds:.3g} ms"
    return ""


class UnitCheck:
    """Whether a gyro's rates are degrees per second, by the turns that images see."""

    def __init__(self) -> None:
        self._ratios: deque[float] = deque(maxlen=TURNS)

    def compare(self, angle: float, seen: np.ndarray) -> None:
        """Take the integral of the rates [rad by their unit, NaN if unknown] beside the turn seen (3,) [rad]."""
        turned = math.hypot(*seen.tolist())
        if turned >= LEAST and math.isfinite(angle):
            self._ratios.append(angle / turned)

    @property
    def is_degrees(self) -> bool:
        if len(self._ratios) < ENOUGH:
            return False
        return abs(math.radians(float(np.median(self._ratios))) - 1.0) < NEAR
