# SPDX-License-Identifier: Apache-2.0
"""Absolute and relative errors of a whole trajectory under a choice of alignments."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.evaluation.alignment import Similarity, best_scale, umeyama
from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.geometry.pose_array import angles, between

ALIGNMENTS = ("none", "scale", "6dof", "7dof")


@dataclass(frozen=True)
class TrajectoryErrors:
    """ATE: distances of the positions. RPE: errors of the motions over `delta` frames (Sturm et al. 2012)."""

    alignment: str
    scale: float
    """What the estimate was multiplied by"""
    ate_rmse: float
    """metres, as all of ATE"""
    ate_mean: float
    ate_median: float
    ate_max: float
    rpe_translation_rmse: float
    """metres"""
    rpe_translation_mean: float
    rpe_rotation_rmse: float
    """degrees"""
    rpe_rotation_mean: float
    delta: int


def align(truth: np.ndarray, estimate: np.ndarray, alignment: str) -> tuple[np.ndarray, float]:
    """Estimated poses (N, 4, 4) in the true ones' world, and the scale they were given.

    none: the first poses are laid upon each other. scale: the same, at the scale with the least squared
    distances from the first position. 6dof: the rigid motion with the least squared distances of all
    positions, 7dof: with a scale (Umeyama 1991). EvaluationError for an unknown alignment, or an estimate
    without extent, which has no scale.
    """
    if alignment not in ALIGNMENTS:
        raise EvaluationError(f"alignment is {alignment!r}, expected one of {', '.join(ALIGNMENTS)}")
    if alignment in ("none", "scale"):
        from_start, true_from_start = between(estimate[:1], estimate), between(truth[:1], truth)
        scale = 1.0
        if alignment == "scale":
            scale = best_scale(from_start[:, :3, 3], true_from_start[:, :3, 3])
        moved = Similarity(scale, truth[0, :3, :3], truth[0, :3, 3])
        estimate = from_start
    else:
        moved = umeyama(estimate[:, :3, 3], truth[:, :3, 3], with_scale=alignment == "7dof")
    if not np.isfinite(moved.scale):
        raise EvaluationError(
            f"the estimated positions are all the same: alignment {alignment} has no scale; use none or 6dof"
        )
    return moved.poses(estimate), moved.scale


def trajectory_errors(truth: np.ndarray, estimate: np.ndarray, alignment: str, delta: int = 1) -> TrajectoryErrors:
    """Errors of poses (N, 4, 4) against the true ones at the same moments; see `align` for EvaluationError.

    delta: frames from one to the other pose of a relative error; EvaluationError unless 1 <= delta < N.
    """
    if not 1 <= delta < len(truth):
        raise EvaluationError(f"relative errors over {delta} frames: expected 1 to {len(truth) - 1}")
    estimate, scale = align(truth, estimate, alignment)
    distances = np.linalg.norm(estimate[:, :3, 3] - truth[:, :3, 3], axis=1)
    error = between(between(truth[:-delta], truth[delta:]), between(estimate[:-delta], estimate[delta:]))
    shifts, turns = np.linalg.norm(error[:, :3, 3], axis=1), np.degrees(angles(error))
    return TrajectoryErrors(
        alignment=alignment,
        scale=float(scale),
        ate_rmse=_rms(distances),
        ate_mean=float(distances.mean()),
        ate_median=float(np.median(distances)),
        ate_max=float(distances.max()),
        rpe_translation_rmse=_rms(shifts),
        rpe_translation_mean=float(shifts.mean()),
        rpe_rotation_rmse=_rms(turns),
        rpe_rotation_mean=float(turns.mean()),
        delta=delta,
    )


def _rms(errors: np.ndarray) -> float:
    return float(np.sqrt(np.square(errors).mean()))
