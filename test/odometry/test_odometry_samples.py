# SPDX-License-Identifier: Apache-2.0
"""Single wrong messages of the robot's odometry: each is passed over with its reason, and the path stays the same."""

import numpy as np
import pytest

from monodepth_ros.odometry.scale.travel_log import TravelLog

SECOND = 1_000_000_000
START, PERIOD, COUNT = 1000 * SECOND, SECOND // 50, 100
SPEED = 2.0
STRAIGHT = (0.0, 0.0, 0.0, 1.0)

WRONG_POSES = {
    "NaN": (0, (np.nan, 0, 0), STRAIGHT, "up to 1e+08 m"),
    "infinite": (0, (np.inf, 0, 0), STRAIGHT, "up to 1e+08 m"),
    "beyond the earth": (0, (1e300, 0, 0), STRAIGHT, "up to 1e+08 m"),
    "jump": (0, (1e7, 0, 0), STRAIGHT, "jumps by 1e+07 m"),
    "zero quaternion": (0, (2, 0, 0), (0, 0, 0, 0), "expected length 1"),
    "huge quaternion": (0, (2, 0, 0), (0, 0, 0, 1e300), "expected length 1"),
    "NaN quaternion": (0, (2, 0, 0), (0, np.nan, 0, 1), "finite"),
    "far future": (10**9 * SECOND, (2, 0, 0), STRAIGHT, "ahead of the one before"),
    "far past": (-900 * SECOND, (2, 0, 0), STRAIGHT, "behind the one before"),
    "repeated": (-PERIOD // 2, (9, 0, 0), STRAIGHT, "that of the one before"),
}
WRONG_VELOCITIES = {
    "NaN": (0, (np.nan, 0, 0), (0, 0, 0), "at most 1000 m/s"),
    "absurd": (0, (1e300, 1e300, 0), (0, 0, 0), "at most 1000 m/s"),
    "absurd turn": (0, (2, 0, 0), (0, 0, 1e6), "1e+06 rad/s"),
    "far future": (10**9 * SECOND, (2, 0, 0), (0, 0, 0), "ahead of the one before"),
}


def travelled(add_good, add_wrong=None):
    """The path after two seconds, and everything that was said; a wrong message lies between two good ones."""
    travel, said = TravelLog(), []
    for i in range(COUNT):
        said.append(add_good(travel, START + i * PERIOD, SPEED * i / 50))
        if add_wrong is not None and i == COUNT // 2:
            said.append(add_wrong(travel, START + i * PERIOD + PERIOD // 2))
    return travel.between(START, START + (COUNT - 1) * PERIOD), [text for text in said if text]


@pytest.mark.parametrize("name", WRONG_POSES)
def test_one_wrong_pose_is_passed_over_by_name_and_the_path_is_the_same(name):
    shift, position, quaternion, words = WRONG_POSES[name]
    good = lambda travel, stamp, x: travel.add_pose(stamp, (x, 0, 0), STRAIGHT)  # noqa: E731
    path, said = travelled(good, lambda travel, stamp: travel.add_pose(stamp + shift, position, quaternion))
    assert path == pytest.approx(travelled(good)[0])
    assert len(said) == 1 and words in said[0], said


@pytest.mark.parametrize("name", WRONG_VELOCITIES)
def test_one_wrong_velocity_is_passed_over_by_name_and_the_path_is_the_same(name):
    shift, linear, angular, words = WRONG_VELOCITIES[name]
    good = lambda travel, stamp, x: travel.add_velocity(stamp, (SPEED, 0, 0), (0, 0, 0))  # noqa: E731
    path, said = travelled(good, lambda travel, stamp: travel.add_velocity(stamp + shift, linear, angular))
    assert path == pytest.approx(travelled(good)[0])
    assert len(said) == 1 and words in said[0], said


def test_a_pose_that_has_jumped_for_good_begins_a_new_piece_of_the_path():
    travel = TravelLog()
    for i in range(COUNT):
        assert not travel.add_pose(START + i * PERIOD, (SPEED * i / 50 + 1e6 * (i >= 50), 0, 0), STRAIGHT)
    assert travel.between(START, START + 99 * PERIOD) is None, "over the jump"
    assert travel.between(START + 50 * PERIOD, START + 99 * PERIOD)[0] == pytest.approx(49 * SPEED / 50)
