# SPDX-License-Identifier: Apache-2.0
"""Pairs of estimated and reference poses of the same time."""

import numpy as np

from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.evaluation.trajectory_file import Trajectory

MAX_DIFFERENCE = 0.02  # seconds


def pair(
    reference: Trajectory, estimate: Trajectory, max_difference: float = MAX_DIFFERENCE
) -> tuple[np.ndarray, np.ndarray]:
    """Reference and estimated poses (N, 4, 4) of the same times.

    If both have times, each estimate is paired with the nearest reference pose within max_difference [s], which serves
    once. Otherwise the frames' numbers make the pairs if one of them has numbers, else the order. EvaluationError for
    different lengths in that case, and for fewer than two pairs.
    """
    if reference.seconds is not None and estimate.seconds is not None:
        reference_at, at = _by_time(reference.seconds, estimate.seconds, max_difference)
        how = (
            f"within {max_difference:g} s: the reference is of {_span(reference.seconds)},"
            f" the estimate of {_span(estimate.seconds)}"
        )
    elif reference.frames is not None or estimate.frames is not None:
        numbers = [np.arange(len(x)) if x.frames is None else x.frames for x in (reference, estimate)]
        _, reference_at, at = np.intersect1d(*numbers, assume_unique=True, return_indices=True)
        how = "by the frames' numbers"
    elif len(reference) != len(estimate):
        raise EvaluationError(
            f"{estimate.description} has {len(estimate)} poses, {reference.description} {len(reference)}: expected as"
            " many, or times in both (TUM, or --times FILE for poses without times)"
        )
    else:
        reference_at = at = np.arange(len(reference))
        how = "one by one"
    if len(at) < 2:
        raise EvaluationError(
            f"{len(at)} of {len(estimate)} poses of {estimate.description} find one of {len(reference)} in"
            f" {reference.description}, {how}; expected two or more"
        )
    return reference.poses[reference_at], estimate.poses[at]


def _by_time(reference: np.ndarray, estimate: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the pairs in both arrays of times, which increase."""
    after = np.searchsorted(reference, estimate).clip(1, max(1, len(reference) - 1))
    before, after = after - 1, np.minimum(after, len(reference) - 1)
    nearest = np.where(estimate - reference[before] <= reference[after] - estimate, before, after)
    difference = np.abs(reference[nearest] - estimate)
    best: dict[int, int] = {}
    for i in np.flatnonzero(difference <= limit + 1e-9):
        taken = best.get(int(nearest[i]))
        if taken is None or difference[i] < difference[taken]:
            best[int(nearest[i])] = int(i)
    return np.array(list(best), int), np.array(list(best.values()), int)


def _span(seconds: np.ndarray) -> str:
    return f"{seconds[0]:.3f} to {seconds[-1]:.3f} s"
