# SPDX-License-Identifier: Apache-2.0
"""Trajectory errors of trajectories whose errors are known."""

import numpy as np
import pytest

from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.evaluation.trajectory_metrics import align_rigidly, evaluate_trajectory, path_length
from monodepth_ros.geometry.motion import exp_se3


def drive(steps=50, length=1.0, turn=0.05):
    """Poses of a bend: each step `length` ahead (z) and `turn` radians to the side."""
    poses = [np.eye(4)]
    for _ in range(steps):
        poses.append(poses[-1] @ exp_se3(np.array([0, 0, length, 0, turn, 0])))
    return np.array(poses)


def test_the_same_path_in_another_world_has_no_error():
    truth = drive()
    elsewhere = exp_se3(np.array([5, -3, 2, 0.3, 1.0, -0.2])) @ truth
    found = evaluate_trajectory(truth, elsewhere)
    assert found.path_length == pytest.approx(50, rel=1e-3) and found.frames == 51
    assert found.scale_ratio == pytest.approx(1) and found.ate_rmse == pytest.approx(0, abs=1e-9)
    assert found.drift == pytest.approx(0, abs=1e-9) and found.rotation_drift == pytest.approx(0, abs=1e-6)
    assert found.step_translation_rmse == pytest.approx(0, abs=1e-9)


def test_a_wrong_scale_is_told_apart():
    truth = drive(turn=0)
    estimate = truth.copy()
    estimate[:, :3, 3] *= 0.8
    found = evaluate_trajectory(truth, estimate)
    assert found.scale_ratio == pytest.approx(1.25) and found.drift == pytest.approx(0.2)
    assert found.step_translation_rmse == pytest.approx(0.2) and found.step_rotation_rmse == pytest.approx(0, abs=1e-6)
    # Positions 0..50 against 0.8 times them, both about their middle.
    assert found.ate_rmse == pytest.approx(0.2 * np.std(np.arange(51)))
    assert evaluate_trajectory(truth, estimate, scaling="length").drift == pytest.approx(0, abs=1e-9)


def test_a_turn_too_much_is_counted_per_metre():
    truth, estimate = drive(turn=0.0), drive(turn=np.radians(0.1))
    found = evaluate_trajectory(truth, estimate)
    assert found.rotation_drift == pytest.approx(0.1) and found.step_rotation_rmse == pytest.approx(0.1)


def test_standing_still_has_no_drift_per_metre():
    still = np.repeat(np.eye(4)[None], 5, axis=0)
    found = evaluate_trajectory(still, drive(4))
    assert np.isnan(found.drift) and found.ate_rmse > 0
    assert np.isnan(evaluate_trajectory(drive(4), still).scale_ratio)


def test_alignment_finds_rotation_and_place_and_no_mirror_image():
    rng = np.random.default_rng(0)
    points = rng.normal(0, 1, (30, 3)) * (5, 3, 0.0)
    T = exp_se3(np.array([1, 2, 3, 0.4, -0.9, 0.7]))
    np.testing.assert_allclose(
        align_rigidly(points, points @ T[:3, :3].T + T[:3, 3]), points @ T[:3, :3].T + T[:3, 3], atol=1e-9
    )
    mirrored = rng.normal(0, 1, (30, 3))
    assert np.abs(align_rigidly(mirrored, mirrored * (-1, 1, 1)) - mirrored * (-1, 1, 1)).max() > 0.1
    assert path_length(np.array([[0, 0, 0], [3, 4, 0], [3, 4, 1]])) == 6


def test_impossible_comparisons_are_refused():
    with pytest.raises(EvaluationError, match="two or more"):
        evaluate_trajectory(drive(3), drive(4))
    with pytest.raises(EvaluationError, match="two or more"):
        evaluate_trajectory(drive(0), drive(0))
    with pytest.raises(EvaluationError, match="expected none or length"):
        evaluate_trajectory(drive(), drive(), "median")
