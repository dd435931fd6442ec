# SPDX-License-Identifier: Apache-2.0
"""Single wrong samples of a gyro: each is passed over with its reason, and nothing else changes."""

import numpy as np
import pytest

from monodepth_ros.geometry.motion import axis_angle_to_rotation
from monodepth_ros.odometry.config import OdometryConfig
from monodepth_ros.odometry.gyro.gyro import Gyro

SECOND = 1_000_000_000
START = 1000 * SECOND
PERIOD = SECOND // 200
RATE = np.array((0.1, -0.2, 0.05))
COUNT = 400

WRONG = {
    "huge": ((0, np.array((1e300, 0.0, 0.0))), "1e+300 rad/s"),
    "a million": ((0, np.full(3, 1e6)), "at most 200"),
    "infinite": ((0, np.array((np.inf, 0.0, 0.0))), "not finite"),
    "NaN": ((0, np.array((0.0, np.nan, 0.0))), "not finite"),
    "spike": ((0, np.array((0.0, 150.0, 0.0))), "jumps by 150"),
    "saturated": ((0, np.full(3, -35.0)), "jumps by"),
    "zero stamp": ((-START, RATE), "behind the one before"),
    "stamp of yesterday": ((-86400 * SECOND, RATE), "behind the one before"),
    "late": ((-SECOND // 2, 9 * RATE), "0.498 s behind"),
    "repeated stamp": ((-PERIOD // 2, 9 * RATE), "that of the one before"),
    "far future": ((10**9 * SECOND, RATE), "ahead of the one before"),
    "a second ahead": ((SECOND, RATE), "1 s ahead of"),
}


def fed(wrong=None):
    """A gyro with two seconds of samples, and everything that it said; a wrong one lies between two good ones."""
    gyro, said = Gyro(OdometryConfig(imu_time_offset=0.0, imu_estimate_offset=False)), []
    for i in range(COUNT):
        stamp_ns = START + i * PERIOD
        said.append(gyro.add(stamp_ns, RATE))
        if wrong is not None and i == COUNT // 2:
            shift_ns, rate = wrong
            said.append(gyro.add(stamp_ns + PERIOD // 2 + shift_ns, rate))
        if i % 20 == 19:
            seen = axis_angle_to_rotation((RATE - 0.01) * 0.1)
            gyro.observe(stamp_ns - 20 * PERIOD, stamp_ns, seen, 1e-3)
    return gyro, [text for text in said if text]


@pytest.mark.parametrize("name", WRONG)
def test_one_wrong_sample_is_passed_over_by_name_and_changes_nothing(name):
    wrong, words = WRONG[name]
    good, (gyro, said) = fed()[0], fed(wrong)
    assert len(said) == 1 and words in said[0], said
    between = START + COUNT // 2 * PERIOD
    for start, stop in ((between - 40 * PERIOD, between + 40 * PERIOD), (START, START + (COUNT - 1) * PERIOD)):
        turn, expected = gyro.turn(start, stop), good.turn(start, stop)
        np.testing.assert_allclose(turn.R_start_stop, expected.R_start_stop, atol=1e-12)
        np.testing.assert_allclose(turn.covariance, expected.covariance, rtol=1e-9)
    np.testing.assert_allclose(gyro.bias, good.bias, atol=1e-12)
    assert gyro.is_trusted and gyro.problem == good.problem == ""


def test_a_wrong_first_sample_delays_the_series_by_two_samples():
    gyro = Gyro(OdometryConfig(imu_time_offset=0.0, imu_estimate_offset=False))
    gyro.add(START + 10**6 * SECOND, RATE)
    for i in range(20):
        gyro.add(START + i * PERIOD, RATE)
    assert gyro.turn(START, START + 19 * PERIOD) is not None


def test_a_series_that_begins_elsewhere_is_followed_with_all_its_samples():
    gyro = fed()[0]
    for i in range(20):
        assert not gyro.add(START + 50 * SECOND + i * PERIOD, RATE)
    assert gyro.turn(START + 50 * SECOND, START + 50 * SECOND + 19 * PERIOD) is not None


def test_rates_that_always_jump_are_still_used():
    gyro = Gyro(OdometryConfig(imu_time_offset=0.0, imu_estimate_offset=False))
    for i in range(60):
        gyro.add(START + i * PERIOD, 90.0 * np.array((0.0, (-1) ** i, 0.0)) * (1 + i % 3))
    assert gyro.turn(START + 20 * PERIOD, START + 40 * PERIOD) is not None


@pytest.mark.parametrize(("factor", "words"), [(np.degrees(1.0), "degrees per second"), (-1.0, "its TF, its unit")])
def test_a_lasting_contradiction_names_its_cause(factor, words):
    gyro = Gyro(OdometryConfig(imu_time_offset=0.0, imu_estimate_offset=False))
    for i in range(COUNT):
        stamp_ns = START + i * PERIOD
        gyro.add(stamp_ns, factor * RATE)
        if i % 20 == 19:
            gyro.observe(stamp_ns - 20 * PERIOD, stamp_ns, axis_angle_to_rotation(RATE * 0.1), 1e-3)
    assert words in gyro.problem
