# SPDX-License-Identifier: Apache-2.0
"""NEES of the steps of a trajectory with simulated errors."""

import numpy as np
import pytest

from monodepth_ros.evaluation.step_consistency import step_consistency
from monodepth_ros.geometry.motion import axis_angle_to_rotation, make_transform

METRES, RADIANS = 0.02, 0.004


def walk(steps):
    poses = [np.eye(4)]
    for step in steps:
        poses.append(poses[-1] @ step)
    return np.array(poses)


@pytest.fixture
def drive():
    """Reference poses, and estimates of half the size with errors of METRES and RADIANS and their covariances."""
    rng = np.random.default_rng(0)
    exact, found = [], []
    for _ in range(2000):
        turn, ahead = rng.normal(size=3) * 0.02, np.array((0.0, 0.1, 1.0))
        exact.append(make_transform(axis_angle_to_rotation(turn), ahead))
        wrong = axis_angle_to_rotation(rng.normal(size=3) * RADIANS) @ exact[-1][:3, :3]
        found.append(make_transform(wrong, 0.5 * (ahead + rng.normal(size=3) * METRES)))
    covariance = np.diag([(0.5 * METRES) ** 2] * 3 + [RADIANS**2] * 3)
    return walk(exact), walk(found), np.tile(covariance, (2001, 1, 1))


def test_nees_is_six_for_right_covariances(drive):
    assert step_consistency(*drive, scale=2.0).nees == pytest.approx(6.0, rel=0.05)


def test_nees_grows_with_covariances_that_are_too_small_and_with_a_wrong_scale(drive):
    reference, found, covariances = drive
    assert step_consistency(reference, found, covariances / 4, scale=2.0).nees == pytest.approx(24.0, rel=0.05)
    assert step_consistency(reference, found, covariances, scale=1.8).nees > 20


def test_noise_of_the_reference_is_added(drive):
    assert step_consistency(*drive, scale=2.0, reference_noise=(METRES, RADIANS)).nees == pytest.approx(3.0, rel=0.05)


def test_steps_without_covariance_do_not_count(drive):
    reference, found, covariances = drive
    covariances[100:] = np.nan
    found[100:] += 1.0
    assert step_consistency(reference, found, covariances, scale=2.0).steps == 99
    covariances[:] = np.nan
    assert step_consistency(reference, found, covariances, scale=2.0) is None
