# SPDX-License-Identifier: Apache-2.0
"""Consistency of the covariances of a trajectory's steps with their errors."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.geometry.motion import rotation_to_axis_angle
from monodepth_ros.geometry.pose_array import between


@dataclass(frozen=True)
class StepConsistency:
    """NEES of the motion from frame to frame (Bar-Shalom et al. 2001, section 5.4).

    nees: normalised estimation error squared, averaged over `steps` motions; 6 for right covariances, more for
    covariances that are too small. scale: factor on the estimated lengths.
    """

    nees: float
    steps: int
    scale: float


def step_consistency(
    reference: np.ndarray,
    estimate: np.ndarray,
    covariances: np.ndarray,
    scale: float = 1.0,
    reference_noise: tuple[float, float] = (0.0, 0.0),
) -> StepConsistency | None:
    """Compare the motions between estimated poses (N, 4, 4) with those between the reference poses.

    covariances: (N, 6, 6) of the motion that leads to each pose, in the axes of the pose before; NaN for a motion that
    does not count. scale: factor on the estimated lengths. reference_noise: standard deviations of the reference
    motions, metres and radians. None if no motion counts, or without a scale.
    """
    usable = np.isfinite(covariances[1:]).all(axis=(1, 2))
    if not usable.any() or not np.isfinite(scale):
        return None
    reference_steps = between(reference[:-1], reference[1:])[usable]
    steps = between(estimate[:-1], estimate[1:])[usable]
    units = np.repeat((scale, 1.0), 3)
    noise = np.diag(np.repeat(np.square(reference_noise), 3))
    squared = []
    for expected, found, covariance in zip(reference_steps, steps, covariances[1:][usable], strict=True):
        turn = rotation_to_axis_angle(found[:3, :3] @ expected[:3, :3].T)
        error = np.concatenate([scale * found[:3, 3] - expected[:3, 3], turn])
        squared.append(error @ np.linalg.solve(covariance * np.outer(units, units) + noise, error))
    return StepConsistency(float(np.mean(squared)), len(squared), float(scale))
