# SPDX-License-Identifier: Apache-2.0
"""A gyro with noise, bias and its own clock: their estimation, and its use in the odometry by features."""

import cv2
import numpy as np
import pytest
from corridor import CAMERA, render, steps_to_poses

from monodepth_ros.geometry.motion import axis_angle_to_rotation, invert, rotation_to_axis_angle
from monodepth_ros.odometry.config import OdometryConfig
from monodepth_ros.odometry.features.feature_odometry import FeatureOdometry
from monodepth_ros.odometry.gyro.gyro import Gyro

SECOND = 1_000_000_000
TENTH = SECOND // 10
NOISE = 0.002  # rad/s/sqrt(Hz)
BIAS = np.array((0.01, -0.02, 0.015))
OFFSET = -0.04  # seconds; the gyro's stamps are earlier than the images'
START = 10 * SECOND


def gyro_with(offset=0.0, estimates_offset=False, **options):
    """A gyro with this time offset and the noise of these tests."""
    config = OdometryConfig(imu_noise=NOISE, imu_time_offset=offset, imu_estimate_offset=estimates_offset)
    return Gyro(config, **options)


def rates_of(turns, rate=200, noise=NOISE, bias=BIAS, offset=OFFSET, seed=0):
    """Stamps and rates of a gyro, given the camera's rotations (3,) per tenth of a second."""
    rng = np.random.default_rng(seed)
    count = round(len(turns) * 0.1 * rate)
    for i in range(count):
        seconds = i / rate
        true = np.asarray(turns[min(int(seconds * 10 + 1e-6), len(turns) - 1)]) * 10
        stamp = START + round((seconds + offset) * 1e9)
        yield stamp, true + bias + rng.normal(size=3) * noise * np.sqrt(rate)


def weaving(seconds, amplitude=0.05):
    """Rotations (3,) per tenth of a second of a weaving and rolling vehicle."""
    t = np.arange(round(seconds * 10)) * 0.1
    return (
        np.stack([0.2 * np.sin(2.1 * t), np.sin(1.3 * t) + 0.5 * np.sin(3.7 * t), 0.1 * np.cos(1.7 * t)], -1)
        * amplitude
    )


def watched(turns, gyro, seed=1, **how):
    """Feed the gyro with its rates, and with image rotations of a milliradian's noise."""
    rng = np.random.default_rng(seed)
    rates = list(rates_of(turns, **how))
    for i, turn in enumerate(turns):
        while rates and rates[0][0] <= START + (i + 1) * TENTH:
            gyro.add(*rates.pop(0))
        seen = axis_angle_to_rotation(turn + rng.normal(size=3) * 1e-3)
        gyro.observe(START + i * TENTH, START + (i + 1) * TENTH, seen, 1e-3)
    return gyro


def test_bias_and_time_offset_are_estimated_from_images():
    gyro = watched(weaving(40.0), gyro_with(0.1, estimates_offset=True))
    assert gyro.offset.value == pytest.approx(OFFSET, abs=0.004), gyro.description
    np.testing.assert_allclose(gyro.bias, BIAS, atol=0.003, err_msg=gyro.description)


def test_a_given_offset_is_kept_and_a_wrong_one_loses_trust():
    assert watched(weaving(20.0), gyro_with(OFFSET)).offset.value == OFFSET
    wrong = watched(weaving(20.0, amplitude=0.15), gyro_with(OFFSET - 0.4))
    assert not wrong.is_trusted and "contradicts" in wrong.description
    assert wrong.turn(START + 10 * SECOND, START + 10 * SECOND + TENTH) is None


@pytest.mark.parametrize("wrong", ["axes", "unit"])
def test_a_gyro_that_contradicts_the_images_is_not_used(wrong):
    def spoil(rate):
        return rate[[1, 0, 2]] if wrong == "axes" else np.degrees(rate)

    gyro = gyro_with()
    turns = weaving(6.0)
    rates = list(rates_of(turns, offset=0.0))
    for i, turn in enumerate(turns):
        while rates and rates[0][0] <= START + (i + 1) * TENTH:
            stamp, rate = rates.pop(0)
            gyro.add(stamp, spoil(rate))
        gyro.observe(START + i * TENTH, START + (i + 1) * TENTH, axis_angle_to_rotation(turn), 1e-3)
    assert not gyro.is_trusted


def test_a_gyro_without_rates_is_not_used():
    gyro = gyro_with(estimates_offset=True)
    for i in range(60):
        gyro.observe(START + i * TENTH, START + (i + 1) * TENTH, np.eye(3), 1e-3)
    assert gyro.turn(START, START + TENTH) is None and "no rates" in gyro.problem


@pytest.mark.parametrize(
    "broken",
    {
        "one rate": lambda rates: rates[:1],
        "two rates": lambda rates: rates[:2],
        "stops": lambda rates: rates[: len(rates) // 4],
        "repeats one stamp": lambda rates: [(START, rate) for _, rate in rates],
        "no stamps": lambda rates: [(0, rate) for _, rate in rates],
        "time since its start": lambda rates: [(stamp - START, rate) for stamp, rate in rates],
        "another century": lambda rates: [(stamp + 3_000_000_000 * SECOND, rate) for stamp, rate in rates],
        "before 1970": lambda rates: [(stamp - 1_000_000_000 * SECOND, rate) for stamp, rate in rates],
        "begins again": lambda rates: [*rates[:400], *((stamp - 20 * SECOND, rate) for stamp, rate in rates[400:])],
    }.items(),
    ids=lambda item: item[0],
)
def test_a_gyro_whose_rates_are_not_those_of_the_images_is_not_used_until_they_are(broken):
    turns = weaving(8.0)
    rates = list(rates_of(turns, bias=0.0, offset=0.0))
    gyro = gyro_with(estimates_offset=True)
    for stamp, rate in broken[1](rates):
        gyro.add(stamp, rate)
    for i, turn in enumerate(turns):
        gyro.observe(START + i * TENTH, START + (i + 1) * TENTH, axis_angle_to_rotation(turn), 1e-3)
    assert "no rates of the images' times" in gyro.problem and "not used" in gyro.description
    assert gyro.turn(START + 70 * TENTH, START + 71 * TENTH) is None
    again = START + 100 * SECOND
    for stamp, rate in rates:
        gyro.add(stamp - START + again, rate)
    for i, turn in enumerate(turns[:-1]):
        gyro.observe(again + i * TENTH, again + (i + 1) * TENTH, axis_angle_to_rotation(turn), 1e-3)
    assert not gyro.problem and gyro.turn(again + 40 * TENTH, again + 41 * TENTH) is not None


def test_a_straight_drive_leaves_the_offset_unknown():
    gyro = watched(weaving(20.0, amplitude=1e-4), gyro_with(estimates_offset=True))
    assert gyro.offset.sigma >= 0.03 and gyro.is_trusted


def test_a_turn_is_the_integral_of_the_rates_and_its_covariance_matches_their_errors():
    """Half a second of turning, with the noise of many gyros."""
    turns = weaving(2.0, amplitude=0.01)
    true = np.eye(3)
    for turn in turns[5:10]:
        true = true @ axis_angle_to_rotation(turn)
    nees = []
    for seed in range(60):
        gyro = gyro_with(bias_sigma=0.0)
        for stamp, rate in rates_of(turns, bias=0.0, offset=0.0, seed=seed):
            gyro.add(stamp, rate)
        found = gyro.turn(START + 5 * TENTH, START + 10 * TENTH)
        error = rotation_to_axis_angle(true.T @ found.R_start_stop)
        assert np.linalg.norm(error) < 0.01
        nees.append(error @ np.linalg.solve(found.covariance, error))
    # The covariance contains the error of the sensitivity, which is not simulated.
    assert 1.5 < np.mean(nees) < 4.0, (
        f"normalised error squared averages {np.mean(nees):.1f}, a little below 3 expected"
    )


def test_gaps_late_rates_and_time_that_goes_back_give_no_wrong_turn():
    gyro = gyro_with()
    for i in [*range(50), *range(80, 100)]:
        gyro.add(START + i * SECOND // 100, np.array((0.0, 0.1, 0.0)))
    at = lambda seconds: START + round(seconds * 1e9)  # noqa: E731
    assert gyro.turn(at(0.1), at(0.4)) is not None
    assert gyro.turn(at(0.4), at(0.85)) is None, "over a gap"
    late = gyro.turn(at(0.9), at(1.01))
    np.testing.assert_allclose(rotation_to_axis_angle(late.R_start_stop), (0, 0.011, 0), atol=1e-6)
    assert gyro.turn(at(0.9), at(1.2)) is None, "rates that have not come yet"
    gyro.add(at(0.95), np.array((9.0, 9.0, 9.0)))
    assert gyro.turn(at(0.9), at(0.97)).R_start_stop[0, 2] < 0.01, "a late message was taken"
    for seconds in (-5.0, -4.99):
        gyro.add(at(seconds), np.zeros(3))
    assert gyro.turn(at(0.1), at(0.4)) is None, "rates of before time went back"


# Through the corridor, weaving: the last half second of turns is fast.
TWISTS = [(0.0, 0.0, 0.3, *turn) for turn in weaving(3.0, amplitude=0.03)]


def drive(change, with_gyro, twists=TWISTS, count=250):
    """Motions of images at 10 Hz, and the poses; the gyro has its offset given and its bias estimated."""
    poses = steps_to_poses(*twists)
    gyro = None
    if with_gyro:
        gyro = watched(np.zeros((30, 3)), gyro_with(OFFSET))
        for stamp, rate in rates_of([twist[3:] for twist in twists], seed=3):
            gyro.add(stamp + 3 * SECOND, rate)
        for i in range(1, 40):  # the drive's end
            gyro.add(stamp + 3 * SECOND + i * SECOND // 200, rate)
    odometry = FeatureOdometry(CAMERA, count, gyro)
    motions = []
    for i, pose in enumerate(poses):
        image, inverse_depth = render(pose, seed=i)
        motions.append(odometry.update(change(i, image), inverse_depth, START + 3 * SECOND + i * TENTH))
    return motions[1:], poses


def errors(motions, poses, first=0, last=None):
    """Error of the motion between two frames: metres and radians."""
    last = len(motions) if last is None else last
    found = np.eye(4)
    for motion in motions[first:last]:
        found = found @ motion.T_previous_current
    error = invert(invert(poses[first]) @ poses[last]) @ found
    return np.linalg.norm(error[:3, 3]), np.linalg.norm(rotation_to_axis_angle(error[:3, :3]))


def blurred(first, last):
    return lambda i, image: cv2.GaussianBlur(image, (0, 0), 12) if first <= i < last else image


def test_a_gyro_bridges_blurred_images_and_later_images_correct_the_bridged_pose():
    turning = [(0.0, 0.0, 0.2, 0.0, 0.03, 0.0)] * 14
    alone, _ = drive(blurred(6, 10), with_gyro=False, twists=turning)
    assert [motion.T_previous_current is None for motion in alone[5:9]] == [True] * 4
    motions, poses = drive(blurred(6, 10), with_gyro=True, twists=turning)
    assert all(motion.T_previous_current is not None for motion in motions), [motion.reason for motion in motions]
    assert [motion.is_bridged for motion in motions] == [5 <= i < 9 for i in range(14)]
    _, radians = errors(motions, poses, 5, 9)
    assert radians < 0.01, f"0.12 rad of blurred turn are off by {radians:.4f}"
    metres, radians = errors(motions, poses)
    assert metres < 0.1 and radians < 0.005, f"the whole is off by {metres:.3f} m and {radians:.4f} rad"
    bridged, seen = motions[6].covariance, motions[3].covariance
    assert bridged[0, 0] > 20 * seen[0, 0], "a guessed translation is as sure as a measured one"


def test_a_stream_that_stays_black_is_lost_even_with_a_gyro():
    motions, _ = drive(lambda i, image: np.zeros_like(image) if i >= 6 else image, with_gyro=True, twists=TWISTS[:16])
    known = [motion.T_previous_current is not None for motion in motions]
    assert known == [True] * 10 + [False] * 6


def test_standstill_is_exactly_zero_with_a_gyro():
    motions, _ = drive(lambda i, image: image, with_gyro=True, twists=[(0.0,) * 6] * 8)
    for motion in motions:
        np.testing.assert_array_equal(motion.T_previous_current, np.eye(4))


def test_a_gyro_improves_the_rotation_in_images_with_few_corners():
    """Only the middle of the far wall is visible, where turning left looks like moving left."""

    def narrow(i, image):
        view = np.full_like(image, 90)
        view[50:110, 190:290] = image[50:110, 190:290]
        return view

    twists = [(0.02 * np.sin(i / 3), 0.0, 0.1, 0.0, 0.01 * np.cos(i / 4), 0.0) for i in range(24)]
    found = {}
    for with_gyro in (False, True):
        motions, poses = drive(narrow, with_gyro, twists, count=600)
        assert all(motion.T_previous_current is not None for motion in motions), [a.reason for a in motions]
        steps = [errors(motions, poses, i, i + 1)[1] for i in range(len(motions))]
        found[with_gyro] = np.sqrt(np.mean(np.square(steps)))
    assert found[True] < 0.6 * found[False], (
        f"rotation off by {found[True]:.5f} rad per step, {found[False]:.5f} without gyro"
    )
