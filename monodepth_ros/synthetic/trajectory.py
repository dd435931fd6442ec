# SPDX-License-Identifier: Apache-2.0
"""Motion of the vehicle along its street: speed, weaving, and small movements of its suspension."""

import numpy as np

from monodepth_ros.geometry.motion import (
    axis_angle_to_rotation,
    invert,
    log_se3,
    make_transform,
)
from monodepth_ros.synthetic.road import Road

START = 62.0  # metres along the street, which leaves some street behind the vehicle
SLOWEST, FASTEST = 5.0, 12.0  # m/s
LARGEST_PITCH, LARGEST_ROLL = np.radians(0.25), np.radians(0.3)
LARGEST_HEAVE = 0.012  # metres
TWIST_STEP = 1e-3  # seconds


class Trajectory:
    """Poses of base_link, which lies on the ground below the vehicle: x forward, y left, z up.

    All movements are sums of sines: the motion is smooth, and its pose is exact at any time.
    """

    def __init__(self, rng: np.random.Generator, road: Road, lane: float) -> None:
        """lane: average distance of the vehicle to the left of the centreline [m]."""
        self._road, self._lane = road, lane
        self._mean_speed = rng.uniform(7.0, 9.5)
        margin = min(self._mean_speed - SLOWEST, FASTEST - self._mean_speed)
        self._speed_waves = _waves(rng, 3, (14, 60), margin)
        self._weave_waves = _waves(rng, 2, (7, 20), 0.18)
        self._pitch_waves = _waves(rng, 3, (0.6, 2.2), LARGEST_PITCH)
        self._roll_waves = _waves(rng, 3, (0.8, 3.0), LARGEST_ROLL)
        self._heave_waves = _waves(rng, 3, (0.6, 2.0), LARGEST_HEAVE)

    def distance(self, time: float) -> float:
        """Distance s along the street [m] at a time [s]."""
        amplitudes, omegas, phases = self._speed_waves
        integral = amplitudes / omegas * (np.cos(phases) - np.cos(omegas * time + phases))
        return START + self._mean_speed * time + float(integral.sum())

    def T_world_base(self, time: float) -> np.ndarray:
        """(4, 4) pose of base_link at a time [s]."""
        s = self.distance(time)
        speed = self._mean_speed + _value(self._speed_waves, time)
        n = self._lane + _value(self._weave_waves, time)
        drift = _slope(self._weave_waves, time)
        curvature = float(self._road.curvature_at(s))
        yaw = float(self._road.heading(s)) + np.arctan2(drift, speed * (1 - curvature * n))
        x, y = self._road.to_world(s, n)
        R = (
            axis_angle_to_rotation((0, 0, yaw))
            @ axis_angle_to_rotation((0, _value(self._pitch_waves, time), 0))
            @ axis_angle_to_rotation((_value(self._roll_waves, time), 0, 0))
        )
        return make_transform(R, (float(x), float(y), _value(self._heave_waves, time)))

    def twist(self, time: float) -> np.ndarray:
        """(6,) linear [m/s] and angular [rad/s] velocity of base_link in its own axes at a time [s]."""
        before, after = self.T_world_base(time - TWIST_STEP), self.T_world_base(time + TWIST_STEP)
        return log_se3(invert(before) @ after) / (2 * TWIST_STEP)


def _waves(rng: np.random.Generator, count: int, periods: tuple[float, float], limit: float) -> tuple[np.ndarray, ...]:
    """(amplitudes, angular frequencies [rad/s], phases) of sines whose sum stays within `limit`. periods: [s]."""
    amplitudes = rng.uniform(0.3, 1.0, count)
    omegas = 2 * np.pi / np.exp(rng.uniform(*np.log(periods), count))
    return limit * amplitudes / amplitudes.sum(), omegas, rng.uniform(0, 2 * np.pi, count)


def _value(waves: tuple[np.ndarray, ...], time: float) -> float:
    amplitudes, omegas, phases = waves
    return float((amplitudes * np.sin(omegas * time + phases)).sum())


def _slope(waves: tuple[np.ndarray, ...], time: float) -> float:
    amplitudes, omegas, phases = waves
    return float((amplitudes * omegas * np.cos(omegas * time + phases)).sum())
