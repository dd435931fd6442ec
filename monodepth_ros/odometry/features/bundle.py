# SPDX-License-Identifier: Apache-2.0
"""Local bundle adjustment: joint refinement of the last keyframes' poses and the points' inverse depths.

A point lies on the ray of the keyframe in which it was found (its host). Its one unknown is the inverse depth rho along
that ray (Civera et al. 2008), with the network's inverse depth as a prior. Where the depth is uncertain, epipolar
geometry constrains the poses; the network's scale enters softly, through all points of the window. The points are
eliminated by the Schur complement: their block of the normal equations is diagonal.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monodepth_ros.geometry.motion import exp_se3, orthonormalize
from monodepth_ros.odometry.covariance import symmetric
from monodepth_ros.odometry.features.sightings import (
    ROBUST_WIDTH,
    DepthPoints,
    Linearized,
    Observations,
    SightingModel,
)
from monodepth_ros.odometry.gyro.gyro import Turn
from monodepth_ros.odometry.gyro.rotation_prior import add_turns

MIN_INVERSE_DEPTH = 1e-4  # smallest inverse depth per network unit: practically infinitely far
CONVERGED = 1e-5  # [rad and network units]
DAMPING = 1e-6


@dataclass(frozen=True)
class Adjusted:
    """Result: poses (F, 4, 4) T_world_camera, inverse_depth (M,), and the error of each observation (K,) [pixels].

    covariance: (6 * free, 6 * free) of the free poses, for small motions in their own axes.
    """

    poses: np.ndarray
    inverse_depth: np.ndarray
    errors: np.ndarray
    covariance: np.ndarray


def adjust(
    poses: np.ndarray,
    points: DepthPoints,
    inverse_depth: np.ndarray,
    seen: Observations,
    *,
    free: int,
    focal: float,
    iterations: int,
    turns: Sequence[Turn | None] = (),
) -> Adjusted:
    """Refine the last `free` of the poses (F, 4, 4) and all inverse depths (M,); the older poses stay fixed.

    turns: a gyro's from each pose to the next, F - 1 of them or none at all.
    """
    poses, rho, first = poses.copy(), inverse_depth.copy(), len(poses) - free
    model = SightingModel(points, seen, len(poses), focal)
    blocks = _Blocks(points, seen, first, free)
    for _ in range(iterations):
        linearized = model.linearize(poses, rho)
        H_depth, g_depth = _prior_equations(points, rho)
        J, coupling = blocks.jacobian(linearized), blocks.coupling(linearized)
        H_depth[blocks.observed] += blocks.sum_by_point((linearized.by_depth * linearized.by_depth).sum(axis=0))
        g_depth[blocks.observed] += blocks.sum_by_point((linearized.by_depth * linearized.residual).sum(axis=0))
        # Schur complement: the poses' equations without the depths.
        scaled = coupling / H_depth[blocks.observed]
        S = J @ J.T - scaled @ coupling.T + DAMPING * np.eye(6 * free)
        gradient = J @ linearized.residual.reshape(-1) - scaled @ g_depth[blocks.observed]
        add_turns(S, gradient, poses, turns, first)
        step = -np.linalg.solve(S, gradient)
        change = -g_depth
        change[blocks.observed] -= step @ coupling
        change /= H_depth
        rho = np.clip(rho + change, MIN_INVERSE_DEPTH, 5.0 * rho + 1e-2)
        for i in range(free):
            poses[first + i] = poses[first + i] @ exp_se3(step[6 * i : 6 * i + 6])
        if np.abs(step).max() < CONVERGED:
            break
    poses[first:, :3, :3] = orthonormalize(poses[first:, :3, :3])
    return Adjusted(poses, rho, linearized.errors, np.linalg.inv(symmetric(S)))


def _prior_equations(points: DepthPoints, inverse_depth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Diagonal of the normal matrix (M,) and gradient (M,) of the network's inverse depth, with a Cauchy loss."""
    deviation = (inverse_depth - points.prior) / points.prior_sigma
    trust = 1.0 / (1.0 + (deviation / ROBUST_WIDTH) ** 2) / points.prior_sigma
    return trust / points.prior_sigma, trust * deviation


class _Blocks:
    """Places of the sightings' derivatives in the normal equations.

    Each free pose has six rows. Fixed frames share a block after them, which is cut off. observed: (P,) points with at
    least one sighting.
    """

    def __init__(self, points: DepthPoints, seen: Observations, first: int, free: int):
        host, count = points.host[seen.point], len(seen.point)
        is_first = np.r_[True, seen.point[1:] != seen.point[:-1]]
        self._starts, self._among_observed = np.flatnonzero(is_first), np.cumsum(is_first) - 1
        self.observed = seen.point[self._starts]
        self._free = free
        self._frame, self._host = (np.where(frame < first, free, frame - first) for frame in (seen.frame, host))
        self._sighting, self._nth = np.arange(count), np.arange(len(self.observed))

    def sum_by_point(self, values: np.ndarray) -> np.ndarray:
        """Sums (..., P) over the sightings of each observed point, of values (..., K)."""
        return np.add.reduceat(values, self._starts, axis=-1)

    def jacobian(self, linearized: Linearized) -> np.ndarray:
        """Derivatives (6 * free, 2 * K) of all residuals by the free poses."""
        J = np.zeros((self._free + 1, 6, 2, len(self._sighting)))
        J[self._frame, :, :, self._sighting] = linearized.by_frame.transpose(2, 0, 1)
        J[self._host, :, :, self._sighting] += linearized.by_host.transpose(2, 0, 1)
        return J[: self._free].reshape(6 * self._free, -1)

    def coupling(self, linearized: Linearized) -> np.ndarray:
        """Block (6 * free, P) of the normal matrix between free poses and observed points' inverse depths."""
        by_frame, by_host, by_depth = linearized.by_frame, linearized.by_host, linearized.by_depth
        # Each sighting of a point is in another frame, and all of them have one host.
        coupling = np.zeros((self._free + 1, 6, len(self.observed)))
        coupling[self._frame, :, self._among_observed] = (by_frame * by_depth).sum(axis=1).T
        by_hosts = self.sum_by_point((by_host * by_depth).sum(axis=1))
        coupling[self._host[self._starts], :, self._nth] += by_hosts.T
        return coupling[: self._free].reshape(6 * self._free, -1)
