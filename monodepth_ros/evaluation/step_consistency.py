# SPDX-License-Identifier: Apache-2.0
"""Whether the covariances of a trajectory's steps are as large as their errors."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.geometry.motion import rotation_to_axis_angle
from monodepth_ros.geometry.pose_array import between


@dataclass(frozen=True)
class StepConsistency:
    """nees: normalised estimation error squared of a step, averaged over `steps` of them (Bar-Shalom et al. 2001, 5.4):
    6 where covariances are right, more where they are too small. scale: what the lengths were multiplied by before."""

    nees: float
    steps: int
    scale: float


def step_consistency(
    truth: np.ndarray,
    estimate: np.ndarray,
    covariances: np.ndarray,
    scale: float = 1.0,
    truth_noise: tuple[float, float] = (0.0, 0.0),
) -> StepConsistency | None:
    """Compare the motions between poses (N, 4, 4) of a camera with the true ones.

    covariances: (N, 6, 6) of the motion that leads to each pose, in the axes of the one before; NaN for those that do not
    count. truth_noise: standard deviations of the true motions themselves, metres and radians. None if no step
    counts, or there is no scale.
    """
    usable = np.isfinite(covariances[1:]).all(axis=(1, 2))
    if not usable.any() or not np.isfinite(scale):
        return None
    true_steps = between(truth[:-1], truth[1:])[usable]
    steps = between(estimate[:-1], estimate[1:])[usable]
    units = np.repeat((scale, 1.0), 3)
    noise = np.diag(np.repeat(np.square(truth_noise), 3))
    squared = []
    for true, found, covariance in zip(true_steps, steps, covariances[1:][usable], strict=True):
        turn = rotation_to_axis_angle(found[:3, :3] @ true[:3, :3].T)
        error = np.concatenate([scale * found[:3, 3] - true[:3, 3], turn])
        squared.append(error @ np.linalg.solve(covariance * np.outer(units, units) + noise, error))
    return StepConsistency(float(np.mean(squared)), len(squared), float(scale))
