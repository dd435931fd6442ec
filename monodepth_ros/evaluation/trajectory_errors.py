# SPDX-License-Identifier: Apache-2.0
"""ATE and RPE of a whole trajectory under a choice of alignments."""

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
    """Factor on the estimate"""
    ate_rmse: float
    """metres, as every ATE here"""
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


def align(reference: np.ndarray, estimate: np.ndarray, alignment: str) -> tuple[np.ndarray, float]:
    """Estimated poses (N, 4, 4) in the world frame of the reference, and the scale applied to them.

    none: only the first poses are aligned. scale: the same, with the scale that minimises the squared distances of the
    positions. 6dof: the rigid motion that minimises the squared distances of the positions. 7dof: the same with a scale
    (Umeyama 1991). EvaluationError for an unknown alignment, and for a scale if all estimated positions are the same.
    """
    if alignment not in ALIGNMENTS:
        raise EvaluationError(f"alignment is {alignment!r}, expected one of {', '.join(ALIGNMENTS)}")
    if alignment in ("none", "scale"):
        from_start, reference_from_start = between(estimate[:1], estimate), between(reference[:1], reference)
        scale = 1.0
        if alignment == "scale":
            scale = best_scale(from_start[:, :3, 3], reference_from_start[:, :3, 3])
        moved = Similarity(scale, reference[0, :3, :3], reference[0, :3, 3])
        estimate = from_start
    else:
        moved = umeyama(estimate[:, :3, 3], reference[:, :3, 3], with_scale=alignment == "7dof")
    if not np.isfinite(moved.scale):
        raise EvaluationError(
            f"the estimated positions are all the same: alignment {alignment} has no scale; use none or 6dof"
        )
    return moved.poses(estimate), moved.scale


def trajectory_errors(reference: np.ndarray, estimate: np.ndarray, alignment: str, delta: int = 1) -> TrajectoryErrors:
    """ATE and RPE of estimated poses (N, 4, 4) against the reference poses at the same times.

    delta: number of frames from one pose of a relative error to the other. EvaluationError unless 1 <= delta < N, and
    as `align`.
    """
    if not 1 <= delta < len(reference):
        raise EvaluationError(f"relative errors over {delta} frames: expected 1 to {len(reference) - 1}")
    estimate, scale = align(reference, estimate, alignment)
    distances = np.linalg.norm(estimate[:, :3, 3] - reference[:, :3, 3], axis=1)
    error = between(between(reference[:-delta], reference[delta:]), between(estimate[:-delta], estimate[delta:]))
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
