# SPDX-License-Identifier: Apache-2.0
"""The errors of a run's trajectory in a few figures: those in metrics.json of `monodepth run`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.evaluation.trajectory_errors import trajectory_errors
from monodepth_ros.geometry.pose_array import angles, between, travelled

SCALINGS = ("none", "length")
SHORTEST = 0.1  # errors per metre mean nothing for a shorter path [m]


@dataclass(frozen=True)
class TrajectoryMetrics:
    """Lengths in metres, angles in degrees. The names are keys of metrics.json, so the RPE is called `step_*` here."""

    path_length: float
    """Length of the reference path"""
    scale_ratio: float
    """Length of the reference path / length of the estimated path, before any scaling"""
    drift: float
    """Distance between the last positions as a share of path_length, after alignment of the first poses"""
    rotation_drift: float
    """Angle between the last orientations per metre of path_length, after alignment of the first poses"""
    ate_rmse: float
    """ATE (RMSE of the positions) under 6dof alignment"""
    step_translation_rmse: float
    """RPE of the translation over one frame, RMSE"""
    step_rotation_rmse: float
    """RPE of the rotation over one frame, RMSE"""
    frames: int


def evaluate_trajectory(
    reference: Sequence[np.ndarray], estimate: Sequence[np.ndarray], scaling: str = "none"
) -> TrajectoryMetrics:
    """Errors of estimated poses (N, 4, 4) against the reference poses at the same times, each in its own world frame.

    scaling: 'none', or 'length' to multiply an estimate in unknown units by scale_ratio first. Errors per metre are NaN
    for a reference path below 0.1 m. EvaluationError for fewer than two poses, or different numbers of them.
    """
    reference, estimate = np.asarray(reference, np.float64), np.asarray(estimate, np.float64)
    if reference.shape != estimate.shape or reference.ndim != 3 or len(reference) < 2:
        raise EvaluationError(
            f"reference poses {reference.shape} and estimated poses {estimate.shape}: expected two or more of each"
        )
    if scaling not in SCALINGS:
        raise EvaluationError(f"scaling is {scaling!r}, expected {' or '.join(SCALINGS)}")
    reference_length, length = path_length(reference[:, :3, 3]), path_length(estimate[:, :3, 3])
    ratio = reference_length / length if length > 0 else float("nan")
    if scaling == "length" and np.isfinite(ratio):
        estimate = estimate.copy()
        estimate[:, :3, 3] *= ratio
    end = between(between(reference[0], reference[-1]), between(estimate[0], estimate[-1]))
    metres = reference_length if reference_length >= SHORTEST else float("nan")
    errors = trajectory_errors(reference, estimate, "6dof")
    return TrajectoryMetrics(
        path_length=reference_length,
        scale_ratio=ratio,
        drift=float(np.linalg.norm(end[:3, 3])) / metres,
        rotation_drift=float(np.degrees(angles(end))) / metres,
        ate_rmse=errors.ate_rmse,
        step_translation_rmse=errors.rpe_translation_rmse,
        step_rotation_rmse=errors.rpe_rotation_rmse,
        frames=len(reference),
    )


def path_length(positions: np.ndarray) -> float:
    """Length of the path through positions (N, 3)."""
    return float(travelled(positions)[-1])
