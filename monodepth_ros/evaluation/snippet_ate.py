# SPDX-License-Identifier: Apache-2.0
"""Absolute trajectory error over short snippets, the odometry figure of self-supervised depth papers."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.evaluation.alignment import best_scale
from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.geometry.pose_array import between

FRAMES = 5


@dataclass(frozen=True)
class SnippetError:
    """Mean and standard deviation over all snippets, in metres."""

    frames: int
    """Positions in a full snippet"""
    snippets: int
    mean: float
    """Of sqrt(sum of squared distances) / N, N the positions of the snippet: the tables' convention"""
    std: float
    rmse_mean: float
    """Of sqrt(sum of squared distances / N): the root mean square error, sqrt(N) times as large"""
    rmse_std: float


def snippet_ate(truth: np.ndarray, estimate: np.ndarray, frames: int = FRAMES) -> SnippetError:
    """Error of poses (M, 4, 4) T_world_camera against the true ones, each snippet at its own best scale.

    A snippet begins at every frame but the last two, and holds `frames` positions, fewer (three at least) at
    the end: the published figures are counted so. As Zhou et al. 2017 and Godard et al. 2019 do it, motions
    T_later_earlier are multiplied from the left to the right; that is not the camera's path, but it is the
    same functional of truth and estimate. First positions are laid upon each other, rotations are not, and
    the estimate is scaled by sum(g p) / sum(p p). EvaluationError for fewer than two poses or frames.
    """
    if truth.shape != estimate.shape or len(truth) < 2 or frames < 2:
        raise EvaluationError(
            f"true poses {truth.shape}, estimated {estimate.shape}, snippets of {frames}: expected as many of"
            " both, two or more, in snippets of two or more"
        )
    true_steps, steps = between(truth[1:], truth[:-1]), between(estimate[1:], estimate[:-1])
    errors, rms_errors = [], []
    for start in range(max(1, len(steps) - 1)):
        window = slice(start, start + frames - 1)
        g, p = _chain(true_steps[window]), _chain(steps[window])
        scale = best_scale(p, g)
        scale = scale if np.isfinite(scale) else 1.0  # an estimate that stands still
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
