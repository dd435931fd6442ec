# SPDX-License-Identifier: Apache-2.0
"""t_err and r_err: translation and rotation errors over segments of given lengths, as in KITTI's odometry table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.geometry.pose_array import angles, between, travelled

KITTI_LENGTHS = tuple(range(100, 900, 100))  # metres
KITTI_STEP = 10  # frames from the start of one segment to that of the next


@dataclass(frozen=True)
class SegmentErrors:
    """Means over all segments of all lengths; NaN if no segment fits into the path.

    by_length: (length [m], segments, t_err, r_err) of each length.
    """

    t_err: float
    """Distance between the ends of the segments, percent of the length"""
    r_err: float
    """Angle between the ends of the segments, degrees per 100 m"""
    segments: int
    by_length: tuple[tuple[float, int, float, float], ...]


def segment_errors(
    reference: np.ndarray, estimate: np.ndarray, lengths: Sequence[float], step: int = KITTI_STEP
) -> SegmentErrors:
    """t_err and r_err of estimated poses (N, 4, 4) against reference poses (Geiger et al. 2012).

    A segment begins at every step-th frame and ends at the first one more than `length` metres along the reference
    path. Its error is the motion between the ends of reference and estimate, with their beginnings aligned.
    EvaluationError for lengths or a step that are not positive.
    """
    if step < 1 or not lengths or not all(0 < length < np.inf for length in lengths):
        raise EvaluationError(
            f"segments of {', '.join(f'{x:g}' for x in lengths) or 'no length'} m every {step} frames:"
            " expected positive numbers"
        )
    distance = travelled(reference[:, :3, 3])
    starts = np.arange(0, len(reference), step)
    all_t, all_r, by_length = [], [], []
    for length in lengths:
        ends = np.searchsorted(distance, distance[starts] + length, side="right")
        first, last = starts[ends < len(reference)], ends[ends < len(reference)]
        error = between(between(estimate[first], estimate[last]), between(reference[first], reference[last]))
        t = 100.0 * np.linalg.norm(error[:, :3, 3], axis=1) / length
        r = 100.0 * np.degrees(angles(error)) / length
        by_length.append((float(length), len(t), _mean(t), _mean(r)))
        all_t.append(t)
        all_r.append(r)
    t, r = np.concatenate(all_t), np.concatenate(all_r)
    return SegmentErrors(_mean(t), _mean(r), len(t), tuple(by_length))


def default_lengths(path_length: float) -> tuple[tuple[float, ...], int]:
    """Segment lengths [m] and step for a path: KITTI's 100 to 800 m as far as they fit, at KITTI's step.

    A path below 100 m gets eight shorter lengths, multiples of 1, 2 or 5 times a power of ten, from every frame on. A
    path without length gets none.
    """
    fitting = tuple(float(length) for length in KITTI_LENGTHS if length < path_length)
    if fitting or not path_length > 0:
        return fitting, KITTI_STEP
    units = [digit * 10.0**power for power in range(1, -6, -1) for digit in (5, 2, 1)]
    unit = next((unit for unit in units if 8 * unit < path_length), 0.0)
    return tuple(round(unit * i, 9) for i in range(1, 9) if unit), 1


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
