# SPDX-License-Identifier: Apache-2.0
"""Errors of a trajectory against the true one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monodepth_ros.evaluation.alignment import umeyama
from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.geometry.motion import invert, rotation_to_axis_angle


@dataclass(frozen=True)
class TrajectoryMetrics:
    """Lengths in metres, angles in degrees."""

    path_length: float
    """Of the true path: the sum of its steps"""
    scale_ratio: float
    """path_length / length of the estimated path before any scaling (1 is right)"""
    drift: float
    """Distance between the two ends as a share of path_length, with the first poses laid upon each other"""
    rotation_drift: float
    """Angle between the two ends per metre of path_length"""
    ate_rmse: float
    """Root mean square distance of the positions after the best rigid alignment of the whole"""
    step_translation_rmse: float
    """Root mean square error of the translation from one frame to the next"""
    step_rotation_rmse: float
    """Root mean square error of the rotation from one frame to the next"""
    frames: int


def evaluate_trajectory(
    truth: Sequence[np.ndarray], estimate: Sequence[np.ndarray], scaling: str = "none"
) -> TrajectoryMetrics:
    """Compare poses (N, 4, 4) of the same camera at the same moments, each in a world frame of its own.

    scaling: 'none', or 'length' for a trajectory in unknown units, which is multiplied by scale_ratio first.
    Errors per metre are NaN for a true path shorter than 0.1 m. EvaluationError for fewer than two poses, or
    not as many of either.
    """
    truth, estimate = np.asarray(truth, np.float64), np.asarray(estimate, np.float64)
    if truth.shape != estimate.shape or truth.ndim != 3 or len(truth) < 2:
        raise EvaluationError(f"true poses {truth.shape} and estimated {estimate.shape}: expected two or more of each")
    if scaling not in ("none", "length"):
        raise EvaluationError(f"scaling is {scaling!r}, expected none or length")
    true_length, length = path_length(truth[:, :3, 3]), path_length(estimate[:, :3, 3])
    ratio = true_length / length if length > 0 else float("nan")
    if scaling == "length" and np.isfinite(ratio):
        estimate = estimate.copy()
        estimate[:, :3, 3] *= ratio
    end = _between(truth[0], truth[-1])
    error = invert(end) @ _between(estimate[0], estimate[-1])
    steps = [
        invert(_between(truth[i], truth[i + 1])) @ _between(estimate[i], estimate[i + 1]) for i in range(len(truth) - 1)
    ]
    travelled = true_length if true_length >= 0.1 else float("nan")
    aligned = align_rigidly(estimate[:, :3, 3], truth[:, :3, 3])
    return TrajectoryMetrics(
        path_length=true_length,
        scale_ratio=ratio,
        drift=float(np.linalg.norm(error[:3, 3])) / travelled,
        rotation_drift=_degrees(error) / travelled,
        ate_rmse=_rms(np.linalg.norm(aligned - truth[:, :3, 3], axis=1)),
        step_translation_rmse=_rms([np.linalg.norm(step[:3, 3]) for step in steps]),
        step_rotation_rmse=_rms([_degrees(step) for step in steps]),
        frames=len(truth),
    )


def path_length(positions: np.ndarray) -> float:
    """Sum of the steps between positions (N, 3)."""
    return float(np.linalg.norm(np.diff(positions, axis=0), axis=1).sum())


def align_rigidly(points: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Points (N, 3) turned and moved to the least squared distance to targets (N, 3); no mirror image."""
    return umeyama(points, targets, with_scale=False).points(points)


def _between(T_world_a: np.ndarray, T_world_b: np.ndarray) -> np.ndarray:
    return invert(T_world_a) @ T_world_b


def _degrees(T: np.ndarray) -> float:
    return float(np.degrees(np.linalg.norm(rotation_to_axis_angle(T[:3, :3]))))


def _rms(errors) -> float:
    return float(np.sqrt(np.mean(np.square(errors))))
