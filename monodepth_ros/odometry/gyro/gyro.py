# SPDX-License-Identifier: Apache-2.0
"""A gyro that measures the camera's rotation, with bias, time offset and trust estimated from images."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from monodepth_ros.geometry.motion import axis_angle_to_rotation, rotation_to_axis_angle
from monodepth_ros.odometry.config import OdometryConfig
from monodepth_ros.odometry.gyro.rate_log import RateLog
from monodepth_ros.odometry.gyro.rate_samples import RateSamples, UnitCheck
from monodepth_ros.odometry.gyro.time_offset import TimeOffset

SCALE_NOISE = 0.01  # error of an angle as a share of it: sensitivity, and the mounting's angles
INITIAL_BIAS_SIGMA = 0.03  # standard deviation of the bias before the first observation [rad/s]
MIN_BIAS_SIGMA = 5e-4  # [rad/s]
BIAS_WALK = 1e-4  # [rad/s / sqrt(s)]
CORRELATED = 4  # neighbouring images have similar errors: this many count as one
MAX_BIAS_RATE = 0.2  # faster turns depend more on the sensitivity than on the bias [rad/s]
HOLD = 0.05  # time for which the newest rate is extrapolated [s]
ACCELERATION = 3.0  # assumed change of the rate in that time [rad/s^2]
# The images contradict a turn that is off by more than DOUBT standard deviations. The gyro is not used while more than
# half of the last 1 / MEMORY turns or so were contradicted: its TF, unit or time must be wrong.
DOUBT, MEMORY = 4.0, 0.08


@dataclass(frozen=True)
class Turn:
    """Rotation R_start_stop (3, 3) of the camera, and the covariance (3, 3) [rad^2] of its error, in the final axes."""

    R_start_stop: np.ndarray
    covariance: np.ndarray

    @cached_property
    def information(self) -> np.ndarray:
        """Inverse of the covariance (3, 3), used in every iteration of an adjustment."""
        return np.linalg.inv(self.covariance)


class Gyro:
    """Rates of an IMU that is fixed to the camera, given in the camera's axes.

    config: its imu_noise, imu_time_offset and imu_estimate_offset apply. bias: (3,) [rad/s], estimated from images; it
    starts at 0, with standard deviation bias_sigma [rad/s]. offset: time to add to an image's stamp to get the gyro's
    stamp of the same moment.
    """

    def __init__(self, config: OdometryConfig, bias_sigma: float = INITIAL_BIAS_SIGMA):
        self._noise = config.imu_noise
        self._rates = RateLog()
        self.offset = TimeOffset(config.imu_time_offset, config.imu_estimate_offset)
        self.bias = np.zeros(3)
        self._bias_variance = bias_sigma**2
        self._contradicted = 0.0
        self._lacks_rates = False
        self._samples = RateSamples()
        self._unit = UnitCheck()

    def add(self, stamp_ns: int, rate: np.ndarray) -> str:
        """Add a measured rate (3,) [rad/s]; why a sample is passed over, '' if none is.

        A sample that does not continue the series waits for the next one (see `RateSamples`).
        """
        samples, passed_over = self._samples.admit(stamp_ns, rate)
        for sample in samples:
            if self._rates.add(sample.stamp_ns, sample.rate, self.bias):
                self.offset.forget_turns()
        return passed_over

    @property
    def is_trusted(self) -> bool:
        """Whether most of the recent images agree with it."""
        return self._contradicted < 0.5

    def turn(self, start_ns: int, stop_ns: int) -> Turn | None:
        """The camera's rotation between two images; None if rates are missing or the images contradict the gyro."""
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
        first, last = self._rates.rate(start_ns), self._rates.rate(known_until)
        if R is None or first is None or last is None:
            return None
        R = R @ axis_angle_to_rotation(held * last)
        seconds = (stop_ns - start_ns) * 1e-9
        angle = np.linalg.norm(rotation_to_axis_angle(R))
        variance = (
            self._noise**2 * seconds
            + self._bias_variance * seconds**2
            + (SCALE_NOISE * angle) ** 2
            + (0.5 * ACCELERATION * held**2) ** 2
        )
        # An error of the time offset changes the turn by that time times the difference of the rates at both ends.
        shifted = self.offset.sigma * (last - first)
        return Turn(R, variance * np.eye(3) + np.outer(shifted, shifted))

    def observe(
        self, start_ns: int, stop_ns: int, R_start_stop: np.ndarray, sigma: float, has_independent_errors: bool = True
    ) -> None:
        """Update bias, time offset and trust from a rotation (3, 3) between two images, measured by the images alone.

        sigma: its standard deviation [rad]. has_independent_errors: its errors average out over time; the bias is
        estimated only from such rotations.
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
        shift = round(self.offset.value * 1e9)
        self._unit.compare(self._rates.angle(start_ns + shift, stop_ns + shift), seen)
        seconds = (stop_ns - start_ns) * 1e-9
        if is_contradicted or not has_independent_errors or np.linalg.norm(seen) > MAX_BIAS_RATE * seconds:
            return
        variance = CORRELATED * (sigma**2 + self._noise**2 * seconds) / seconds**2
        self._bias_variance += BIAS_WALK**2 * seconds
        gain = self._bias_variance / (self._bias_variance + variance)
        self.bias = self.bias + gain * error / seconds
        self._bias_variance = max((1.0 - gain) * self._bias_variance, MIN_BIAS_SIGMA**2)

    @property
    def problem(self) -> str:
        """Reason why the gyro is not used now, in plain words, or an empty string."""
        if self._lacks_rates:
            return "no rates of the images' times (late, with gaps, or of another clock)"
        if self.is_trusted:
            return ""
        if self._unit.is_degrees:
            return "its rates look like degrees per second: let the driver send rad/s (REP-103)"
        return "it contradicts the images (its TF, its unit rad/s, or its time)"

    @property
    def description(self) -> str:
        """State of the gyro in plain words."""
        if self.problem:
            return f"not used: {self.problem}"
        offset = self.offset
        bias = ", ".join(f"{value:+.4f}" for value in self.bias)
        return f"bias ({bias}) rad/s in the camera's axes, time offset {offset.value:+.3f} +- {offset.sigma:.3f} s"
