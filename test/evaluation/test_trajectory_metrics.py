# SPDX-License-Identifier: Apache-2.0
"""The figures of metrics.json for trajectories with known errors."""

import numpy as np
import pytest

from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.evaluation.trajectory_metrics import evaluate_trajectory, path_length
from monodepth_ros.geometry.motion import exp_se3


def drive(steps=50, length=1.0, turn=0.05):
    """Poses of a bend: each step `length` ahead (z) and `turn` radians to the side."""
    poses = [np.eye(4)]
    for _ in range(steps):
        poses.append(poses[-1] @ exp_se3(np.array([0, 0, length, 0, turn, 0])))
    return np.array(poses)


def test_the_same_path_in_another_world_has_no_error():
    reference = drive()
    elsewhere = exp_se3(np.array([5, -3, 2, 0.3, 1.0, -0.2])) @ reference
    found = evaluate_trajectory(reference, elsewhere)
    assert found.path_length == pytest.approx(50, rel=1e-3) and found.frames == 51
    assert found.scale_ratio == pytest.approx(1) and found.ate_rmse == pytest.approx(0, abs=1e-9)
    assert found.drift == pytest.approx(0, abs=1e-9) and found.rotation_drift == pytest.approx(0, abs=1e-6)
    assert found.step_translation_rmse == pytest.approx(0, abs=1e-9)


def test_a_wrong_scale_is_separated_from_the_other_errors():
    reference = drive(turn=0)
    estimate = reference.copy()
    estimate[:, :3, 3] *= 0.8
    found = evaluate_trajectory(reference, estimate)
    assert found.scale_ratio == pytest.approx(1.25) and found.drift == pytest.approx(0.2)
    assert found.step_translation_rmse == pytest.approx(0.2) and found.step_rotation_rmse == pytest.approx(0, abs=1e-6)
    # Positions 0..50 against 0.8 times them, both about their middle.
    assert found.ate_rmse == pytest.approx(0.2 * np.std(np.arange(51)))
    assert evaluate_trajectory(reference, estimate, scaling="length").drift == pytest.approx(0, abs=1e-9)


def test_an_excess_rotation_is_counted_per_metre():
    reference, estimate = drive(turn=0.0), drive(turn=np.radians(0.1))
    found = evaluate_trajectory(reference, estimate)
    assert found.rotation_drift == pytest.approx(0.1) and found.step_rotation_rmse == pytest.approx(0.1)


def test_a_camera_at_rest_has_no_drift_per_metre():
    still = np.repeat(np.eye(4)[None], 5, axis=0)
    found = evaluate_trajectory(still, drive(4))
    assert np.isnan(found.drift) and found.ate_rmse > 0
    assert np.isnan(evaluate_trajectory(drive(4), still).scale_ratio)


def test_the_length_of_a_path_is_the_sum_of_its_steps():
    assert path_length(np.array([[0, 0, 0], [3, 4, 0], [3, 4, 1]])) == 6


def test_impossible_comparisons_are_refused():
    with pytest.raises(EvaluationError, match="two or more"):
        evaluate_trajectory(drive(3), drive(4))
    with pytest.raises(EvaluationError, match="two or more"):
        evaluate_trajectory(drive(0), drive(0))
    with pytest.raises(EvaluationError, match="expected none or length"):
        evaluate_trajectory(drive(), drive(), "median")
