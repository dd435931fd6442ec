# SPDX-License-Identifier: Apache-2.0
"""ATE and RPE under each alignment, against results computed by hand."""

import math

import numpy as np
import pytest

from monodepth_ros.evaluation.alignment import umeyama
from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.evaluation.odometry_report import OdometrySettings, evaluate_odometry
from monodepth_ros.evaluation.trajectory_errors import ALIGNMENTS, trajectory_errors
from monodepth_ros.geometry.motion import exp_se3, invert
from monodepth_ros.geometry.pose_array import angles, between, inverses


def at(*places):
    """Poses without rotation."""
    poses = np.tile(np.eye(4), (len(places), 1, 1))
    poses[:, :3, 3] = places
    return poses


def wander(seed, count=40):
    rng = np.random.default_rng(seed)
    poses = [np.eye(4)]
    for _ in range(count - 1):
        poses.append(poses[-1] @ exp_se3(rng.normal((0.3, 0, 1, 0, 0, 0), 0.2)))
    return np.array(poses)


LINE, TWICE = at((0, 0, 0), (1, 0, 0), (2, 0, 0)), at((0, 0, 0), (2, 0, 0), (4, 0, 0))


@pytest.mark.parametrize(
    ("alignment", "scale", "rmse", "mean", "median", "maximum", "step"),
    [
        ("none", 1.0, math.sqrt(5 / 3), 1.0, 1.0, 2.0, 1.0),
        ("scale", 0.5, 0.0, 0.0, 0.0, 0.0, 0.0),
        ("6dof", 1.0, math.sqrt(2 / 3), 2 / 3, 1.0, 1.0, 1.0),
        ("7dof", 0.5, 0.0, 0.0, 0.0, 0.0, 0.0),
    ],
)
def test_a_line_of_twice_the_size_by_hand(alignment, scale, rmse, mean, median, maximum, step):
    found = trajectory_errors(LINE, TWICE, alignment)
    figures = found.scale, found.ate_rmse, found.ate_mean, found.ate_median, found.ate_max
    assert figures == pytest.approx((scale, rmse, mean, median, maximum), abs=1e-12)
    assert found.rpe_translation_rmse == pytest.approx(step, abs=1e-12) and found.rpe_rotation_rmse == 0


def test_rpe_over_several_frames_by_hand():
    found = trajectory_errors(LINE, TWICE, "none", delta=2)
    assert found.rpe_translation_rmse == pytest.approx(2.0) and found.delta == 2
    turning = np.array([exp_se3(np.array([0, 0, 0, 0, 0, np.radians(3 * i)])) for i in range(3)])
    turned = trajectory_errors(at(*[(0, 0, 0)] * 3), turning, "none")
    assert turned.rpe_rotation_rmse == pytest.approx(3.0) and turned.ate_rmse == 0
    assert trajectory_errors(at(*[(0, 0, 0)] * 3), turning, "none", 2).rpe_rotation_mean == pytest.approx(6.0)


@pytest.mark.parametrize("alignment", ALIGNMENTS)
def test_the_same_path_in_another_world_has_no_error(alignment):
    reference = wander(0)
    found = trajectory_errors(reference, exp_se3(np.array([5, -3, 2, 0.3, 1.0, -0.2])) @ reference, alignment)
    assert (found.ate_max, found.rpe_translation_rmse) == pytest.approx((0, 0), abs=1e-9), found
    assert found.rpe_rotation_rmse == pytest.approx(0, abs=1e-5) and found.scale == pytest.approx(1)


def test_more_freedom_never_raises_the_error():
    reference, estimate = wander(0), wander(1)
    none, scale, rigid, similar = (trajectory_errors(reference, estimate, a).ate_rmse for a in ALIGNMENTS)
    assert similar <= rigid <= none and similar <= scale <= none, (none, scale, rigid, similar)


def test_umeyama_finds_a_similarity_and_is_best_near_it():
    rng = np.random.default_rng(2)
    points, T = rng.normal(0, (5, 3, 1), (30, 3)), exp_se3(np.array([1, 2, 3, 0.4, -0.9, 0.7]))
    targets = 2.5 * points @ T[:3, :3].T + T[:3, 3]
    found = umeyama(points, targets, with_scale=True)
    assert found.scale == pytest.approx(2.5)
    np.testing.assert_allclose(found.R, T[:3, :3], atol=1e-12)
    np.testing.assert_allclose(found.t, T[:3, 3], atol=1e-12)
    noisy = targets + rng.normal(0, 0.5, targets.shape)
    best = umeyama(points, noisy, with_scale=True)
    least = np.square(best.points(points) - noisy).sum()
    for twist in np.vstack((np.eye(6), -np.eye(6))) * 1e-3:
        nudged = best.points(points) @ exp_se3(twist)[:3, :3].T + exp_se3(twist)[:3, 3]
        assert np.square(nudged - noisy).sum() > least
    mirrored = umeyama(points, points * (-1, 1, 1), with_scale=True)
    assert np.linalg.det(mirrored.R) == pytest.approx(1), "no mirror image"


def test_arrays_of_poses_agree_with_single_ones():
    poses = wander(3, 5)
    np.testing.assert_allclose(inverses(poses), [invert(T) for T in poses], atol=1e-15)
    np.testing.assert_allclose(between(poses[:1], poses)[0], np.eye(4), atol=1e-15)
    for angle in (0.0, 1e-9, 0.3, math.pi / 2, math.pi - 1e-9, math.pi):
        assert angles(exp_se3(np.array([0, 0, 0, 0, angle, 0]))) == pytest.approx(angle, abs=1e-15)


def test_the_report_gathers_all_figures():
    reference = wander(0)
    estimate = reference.copy()
    estimate[:, :3, 3] /= 4
    report = evaluate_odometry(reference, estimate, OdometrySettings(lengths=(5.0, 10.0)))
    assert report.scale_ratio == pytest.approx(4) and report.scale_deviation == pytest.approx(0, abs=1e-9)
    content = report.as_dict()
    assert list(content["aligned"]) == list(ALIGNMENTS)
    assert content["aligned"]["7dof"]["t_err"] == pytest.approx(0, abs=1e-9)
    assert content["aligned"]["none"]["t_err"] > 50
    assert [row["length"] for row in content["aligned"]["scale"]["segments_by_length"]] == [5.0, 10.0]
    assert content["snippets"]["mean"] == pytest.approx(0, abs=1e-9)
    assert any(line.startswith("7dof") for line in report.lines())


@pytest.mark.parametrize(
    ("reference", "estimate", "settings", "expected"),
    [
        (LINE, TWICE[:2], {}, "as many"),
        (LINE[:1], TWICE[:1], {}, "two or more"),
        (LINE, TWICE * np.nan, {}, "estimated pose 0 is not finite"),
        (LINE, TWICE, {"lengths": (50.0,)}, "50 m do not fit into a path of 2.00 m"),
        (LINE, TWICE, {"delta": 3}, "expected 1 to 2"),
        (
            LINE,
            TWICE,
            {"alignments": ("sim3",)},
            "alignment is 'sim3', expected one of none, scale, 6dof, 7dof",
        ),
        (LINE, at(*[(1, 1, 1)] * 3), {}, "has no scale; use none or 6dof"),
    ],
)
def test_impossible_comparisons_are_refused(reference, estimate, settings, expected):
    with pytest.raises(EvaluationError, match=expected):
        evaluate_odometry(reference, estimate, OdometrySettings(**settings))
