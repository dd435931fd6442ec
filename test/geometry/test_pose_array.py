# SPDX-License-Identifier: Apache-2.0
"""Arrays of poses: the same results as one motion at a time."""

import numpy as np
import pytest

from monodepth_ros.geometry.motion import exp_se3, invert
from monodepth_ros.geometry.pose_array import angles, between, inverses, travelled

RNG = np.random.default_rng(0)
POSES = np.array([exp_se3(np.concatenate([RNG.normal(0, 3, 3), RNG.normal(0, 1, 3)])) for _ in range(24)])


def test_inverses_are_those_of_single_transforms():
    expected = np.array([invert(T) for T in POSES]).reshape(4, 6, 4, 4)
    assert np.abs(inverses(POSES.reshape(4, 6, 4, 4)) - expected).max() < 1e-15


def test_motions_between_poses_lead_from_one_to_the_other():
    motions = between(POSES[:-1], POSES[1:])
    assert np.abs(POSES[:-1] @ motions - POSES[1:]).max() < 1e-13


@pytest.mark.parametrize("angle", [0.0, 1e-9, 0.3, 3.0, np.pi - 1e-9, np.pi])
def test_angles_are_exact_near_both_ends(angle):
    axis = np.array([0.6, 0.0, -0.8])
    assert angles(exp_se3(np.concatenate([np.ones(3), angle * axis]))[None])[0] == pytest.approx(angle, abs=1e-15)


def test_the_path_grows_by_the_distance_between_positions():
    positions = np.array([[0.0, 0, 0], [3, 4, 0], [3, 4, 0], [3, 4, -2]])
    assert travelled(positions).tolist() == [0, 5, 5, 7]
    assert travelled(positions[:1]).tolist() == [0]
