# SPDX-License-Identifier: Apache-2.0
"""ATE over short snippets, the odometry figure of papers on self-supervised depth."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.evaluation.alignment import best_scale
from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.geometry.pose_array import between

FRAMES = 5


@dataclass(frozen=True)
class SnippetError:
    """Mean and standard deviation of the ATE over all snippets, in metres."""

    frames: int
    """Positions in a full snippet"""
    snippets: int
    mean: float
    """Mean of sqrt(sum of squared distances) / N over the N positions of a snippet, the convention of the tables"""
    std: float
    rmse_mean: float
    """Mean of sqrt(sum of squared distances / N): the RMSE, sqrt(N) times as large"""
    rmse_std: float


def snippet_ate(reference: np.ndarray, estimate: np.ndarray, frames: int = FRAMES) -> SnippetError:
    """ATE of estimated poses (M, 4, 4) T_world_camera against reference poses, each snippet with its own scale.

    A snippet begins at every frame but the last two, and has `frames` positions, or fewer (at least three) at the end,
    as in the published figures. As in Zhou et al. 2017 and Godard et al. 2019, the motions T_later_earlier are
    multiplied from left to right, which is not the camera's path, but the same function of reference and estimate. The
    first positions are aligned, the rotations are not, and the estimate is scaled by sum(g p) / sum(p p).
    EvaluationError for fewer than two poses or frames.
    """
    if reference.shape != estimate.shape or len(reference) < 2 or frames < 2:
        raise EvaluationError(
            f"reference poses {reference.shape}, estimated poses {estimate.shape}, snippets of {frames}: expected "
            "equal numbers of both, two or more, in snippets of two or more"
        )
    reference_steps, steps = between(reference[1:], reference[:-1]), between(estimate[1:], estimate[:-1])
    errors, rms_errors = [], []
    for start in range(max(1, len(steps) - 1)):
        window = slice(start, start + frames - 1)
        g, p = _chain(reference_steps[window]), _chain(steps[window])
        scale = best_scale(p, g)
        scale = scale if np.isfinite(scale) else 1.0  # an estimate without motion
        total = np.square(scale * p - g).sum()
        errors.append(np.sqrt(total) / len(g))
        rms_errors.append(np.sqrt(total / len(g)))
    mean, std, rms_mean, rms_std = (float(f(values)) for values in (errors, rms_errors) for f in (np.mean, np.std))
    return SnippetError(frames, len(errors), mean, std, rms_mean, rms_std)


def _chain(steps: np.ndarray) -> np.ndarray:
    """Positions (n + 1, 3) of the products of steps (n, 4, 4); the first is the origin."""
    T, positions = np.eye(4), [np.zeros(3)]
    for step in steps:
        T = T @ step
        positions.append(T[:3, 3])
    return np.array(positions)
