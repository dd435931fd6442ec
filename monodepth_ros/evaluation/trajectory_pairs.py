# SPDX-License-Identifier: Apache-2.0
"""Which estimated pose belongs to which true one."""

import numpy as np

from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.evaluation.trajectory_file import Trajectory

MAX_DIFFERENCE = 0.02  # seconds


def pair(
    truth: Trajectory, estimate: Trajectory, max_difference: float = MAX_DIFFERENCE
) -> tuple[np.ndarray, np.ndarray]:
    """True and estimated poses (N, 4, 4) of the same moments.

    By time where both have times: the nearest true pose, each once, no further than max_difference [s]. Else
    by the frames' numbers where one of them has some, else one by one. EvaluationError for lengths that
    differ then, and for fewer than two pairs.
    """
    if truth.seconds is not None and estimate.seconds is not None:
        true_at, at = _by_time(truth.seconds, estimate.seconds, max_difference)
        how = (
            f"within {max_difference:g} s: the true ones are of {_span(truth.seconds)},"
            f" the estimated of {_span(estimate.seconds)}"
        )
    elif truth.frames is not None or estimate.frames is not None:
        numbers = [np.arange(len(x)) if x.frames is None else x.frames for x in (truth, estimate)]
        _, true_at, at = np.intersect1d(*numbers, assume_unique=True, return_indices=True)
        how = "by the frames' numbers"
    elif len(truth) != len(estimate):
        raise EvaluationError(
            f"{estimate.description} has {len(estimate)} poses, {truth.description} {len(truth)}: expected as"
            " many, or times in both (TUM)"
        )
    else:
        true_at = at = np.arange(len(truth))
        how = "one by one"
    if len(at) < 2:
        raise EvaluationError(
            f"{len(at)} of {len(estimate)} poses of {estimate.description} find one of {len(truth)} in"
            f" {truth.description}, {how}; expected two or more"
        )
    return truth.poses[true_at], estimate.poses[at]


def _by_time(truth: np.ndarray, estimate: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """Indices into both; times grow."""
    after = np.searchsorted(truth, estimate).clip(1, max(1, len(truth) - 1))
    before, after = after - 1, np.minimum(after, len(truth) - 1)
    nearest = np.where(estimate - truth[before] <= truth[after] - estimate, before, after)
    difference = np.abs(truth[nearest] - estimate)
    best: dict[int, int] = {}
    for i in np.flatnonzero(difference <= limit + 1e-9):
        taken = best.get(int(nearest[i]))
        if taken is None or difference[i] < difference[taken]:
            best[int(nearest[i])] = int(i)
    return np.array(list(best), int), np.array(list(best.values()), int)


def _span(seconds: np.ndarray) -> str:
    return f"{seconds[0]:.3f} to {seconds[-1]:.3f} s"
