# SPDX-License-Identifier: Apache-2.0
"""A gyro as a witness of the camera's rotation, itself watched by the images."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from monodepth_ros.geometry.motion import axis_angle_to_rotation, rotation_to_axis_angle
from monodepth_ros.odometry.gyro.rate_log import RateLog
from monodepth_ros.odometry.gyro.time_offset import TimeOffset

SCALE_NOISE = 0.01  # of an angle: sensitivity, and the mounting's angles
UNKNOWN_BIAS = 0.03  # standard deviation of the bias before anything is known of it [rad/s]
SMALLEST_BIAS = 5e-4
BIAS_WALK = 1e-4  # [rad/s / sqrt(s)]
CORRELATED = 4  # errors of neighbouring images are alike: so many count as one
MAX_BIAS_RATE = 0.2  # faster turns say more of the sensitivity than of the bias [rad/s]
HOLD = 0.05  # the newest rate is taken to last for so long [s]
ACCELERATION = 3.0  # and may change by so much meanwhile [rad/s^2]
# A turn is contradicted by the images when it is off by more than DOUBT standard deviations; while more than half of the
# last 1 / MEMORY or so were, the gyro is not used: its TF, unit or time must be wrong.
DOUBT, MEMORY = 4.0, 0.08


@dataclass(frozen=True)
class Turn:
    """R_start_stop (3, 3) of the camera, and the covariance (3, 3) [rad^2] of its error, about the axes at the stop."""

    R_start_stop: np.ndarray
    covariance: np.ndarray

    @cached_property
    def information(self) -> np.ndarray:
        """Inverse of the covariance (3, 3), which every step of an adjustment asks for."""
        return np.linalg.inv(self.covariance)


class Gyro:
    """Rates of an IMU that is fixed to the camera, given in the camera's axes.

    noise: density of the rates' noise [rad/s/sqrt(Hz)]. time_offset: seconds to be added to an image's stamp to get the
    gyro's stamp of that moment; estimates_offset: it is found from turns. bias: (3,) [rad/s], estimated from what images say.
    """

    def __init__(self, noise: float, time_offset: float = 0.0, estimates_offset: bool = False):
        self._noise = noise
        self._rates = RateLog()
        self.offset = TimeOffset(time_offset, estimates_offset)
        self.bias = np.zeros(3)
        self._bias_variance = UNKNOWN_BIAS**2
        self._contradicted = 0.0
        self._lacks_rates = False

    def add(self, stamp_ns: int, rate: np.ndarray) -> None:
        """A measured rate (3,) [rad/s]; the caller sees to it that it is finite."""
        newest_ns = self._rates.newest_ns
        self._rates.add(stamp_ns, rate, self.bias)
        if newest_ns is not None and self._rates.newest_ns < newest_ns:
            self.offset.forget_turns()

    @property
    def is_trusted(self) -> bool:
        """Whether the images do not contradict it most of the time."""
        return self._contradicted < 0.5

    def turn(self, start_ns: int, stop_ns: int) -> Turn | None:
        """The camera's rotation between two images; None where rates are missing or the images contradict them."""
        return self._turn(start_ns, stop_ns) if self.is_trusted else None

    def _turn(self, start_ns: int, stop_ns: int) -> Turn | None:
        shift = round(self.offset.value * 1e9)
        start_ns, stop_ns = start_ns + shift, stop_ns + shift
        newest_ns = self._rates.newest_ns
        if newest_ns is None or stop_ns <= start_ns:
            return None
        held = max(0.0, (stop_ns - newest_ns) * 1e-9)
        if held > HOLD or start_ns > newest_ns:
            return None
        known_until = min(stop_ns, newest_ns)
        R = self._rates.rotation(start_ns, known_until)
        if R is None:
            return None
        first, last = self._rates.rate(start_ns), self._rates.rate(known_until)
        R = R @ axis_angle_to_rotation(held * last)
        seconds = (stop_ns - start_ns) * 1e-9
        angle = np.linalg.norm(rotation_to_axis_angle(R))
        variance = (
            self._noise**2 * seconds
            + self._bias_variance * seconds**2
            + (SCALE_NOISE * angle) ** 2
            + (0.5 * ACCELERATION * held**2) ** 2
        )
        # A turn that begins and ends with the same rate is the same a moment later.
        shifted = self.offset.sigma * (last - first)
        return Turn(R, variance * np.eye(3) + np.outer(shifted, shifted))

    def observe(
        self, start_ns: int, stop_ns: int, R_start_stop: np.ndarray, sigma: float, tells_bias: bool = True
    ) -> None:
        """Learn from a rotation (3, 3) between two images that the images alone tell.

        sigma: its standard deviation [rad]. tells_bias: whether its errors are different every time.
        """
        seen = rotation_to_axis_angle(R_start_stop)
        if self.offset.wants_estimate(start_ns, stop_ns, seen):
            self.offset.estimate(*self._rates.angle_series())
        turn = self._turn(start_ns, stop_ns)
        self._lacks_rates = turn is None
        if turn is None:
            return
        error = rotation_to_axis_angle(R_start_stop.T @ turn.R_start_stop)
        covariance = turn.covariance + sigma**2 * np.eye(3)
        is_contradicted = error @ np.linalg.solve(covariance, error) > DOUBT**2
        self._contradicted += MEMORY * (float(is_contradicted) - self._contradicted)
        seconds = (stop_ns - start_ns) * 1e-9
        if is_contradicted or not tells_bias or np.linalg.norm(seen) > MAX_BIAS_RATE * seconds:
            return
        variance = CORRELATED * (sigma**2 + self._noise**2 * seconds) / seconds**2
        self._bias_variance += BIAS_WALK**2 * seconds
        gain = self._bias_variance / (self._bias_variance + variance)
        self.bias = self.bias + gain * error / seconds
        self._bias_variance = max((1.0 - gain) * self._bias_variance, SMALLEST_BIAS**2)

    @property
    def problem(self) -> str:
        """Why it is not used now, in words; empty if it is."""
        if self._lacks_rates:
            return "no rates of the images' times (late, with gaps, or of another clock)"
        return "" if self.is_trusted else "it contradicts the images (its TF, its unit rad/s, or its time)"

    @property
    def description(self) -> str:
        """How it stands, in words."""
        if self.problem:
            return f"not used: {self.problem}"
        offset = self.offset
        bias = ", ".join(f"{value:+.4f}" for value in self.bias)
        return f"bias ({bias}) rad/s in the camera's axes, time offset {offset.value:+.3f} +- {offset.sigma:.3f} s"
