# SPDX-License-Identifier: Apache-2.0
"""Local bundle adjustment: the poses of the last keyframes and the inverse depths of the points, all at once.

A point lies on the ray of the keyframe in which it was found (its host); its inverse depth rho along that ray is its
one unknown (Civera et al. 2008), and the network's inverse depth a prior on it. So poses are bound to each other by
epipolar geometry where the depth is doubtful, and the network's scale comes in softly, by all points of the window.
The points are eliminated by the Schur complement; their block of the normal equations is diagonal.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monodepth_ros.geometry.motion import exp_se3, orthonormalize
from monodepth_ros.odometry.features.robust_pose import before_the_camera, camera_jacobian
from monodepth_ros.odometry.gyro.gyro import Turn
from monodepth_ros.odometry.gyro.rotation_prior import add_turns

PIXEL_NOISE = 0.2  # standard deviation of where a point is found, pixels of the tracked image
ROBUST_WIDTH = 2.0  # of the Cauchy losses, in standard deviations
MIN_INVERSE_DEPTH = 1e-4  # per network unit: as good as infinitely far
CONVERGED = 1e-5  # radians and network units
DAMPING = 1e-6


@dataclass(frozen=True)
class Observations:
    """K sightings of points in frames other than their hosts, sorted by point: point (K,), frame (K,), ray (K, 2)."""

    point: np.ndarray
    frame: np.ndarray
    ray: np.ndarray


@dataclass(frozen=True)
class DepthPoints:
    """M points: index of the host frame (M,), ray (M, 2) in it, the network's inverse depth and its sigma (M,)."""

    host: np.ndarray
    ray: np.ndarray
    prior: np.ndarray
    prior_sigma: np.ndarray


@dataclass(frozen=True)
class Adjusted:
    """poses (F, 4, 4) T_world_camera, inverse_depth (M,), and of each observation the error (K,) in pixels.

    covariance: (6 * free, 6 * free) of the free poses, for motions xi in their own axes.
    """

    poses: np.ndarray
    inverse_depth: np.ndarray
    errors: np.ndarray
    covariance: np.ndarray


def adjust(
    poses: np.ndarray,
    free: int,
    points: DepthPoints,
    inverse_depth: np.ndarray,
    seen: Observations,
    focal: float,
    iterations: int,
    turns: Sequence[Turn | None] = (),
) -> Adjusted:
    """Refine the last `free` of poses (F, 4, 4) and all inverse depths (M,); the older poses hold the world in place.

    turns: of a gyro from each pose to the next, F - 1 or none at all.
    """
    poses, rho = poses.copy(), inverse_depth.copy()
    first, count = len(poses) - free, len(seen.point)
    host = points.host[seen.point]
    right, down = points.ray[seen.point].T
    wanted = focal * seen.ray.T
    is_first = np.r_[True, seen.point[1:] != seen.point[:-1]]
    starts, among_observed = np.flatnonzero(is_first), np.cumsum(is_first) - 1
    observed = seen.point[starts]
    # The block of rows that a frame's pose has; frames that are held share one that is thrown away.
    block, host_block = (np.where(frame < first, free, frame - first) for frame in (seen.frame, host))
    sighting, nth = np.arange(count), np.arange(len(observed))
    pair = seen.frame * len(poses) + host
    by_host = np.empty((6, 2, count))
    for _ in range(iterations):
        depth_scale = rho[seen.point]
        # T_frame_host of every pair of frames, and of each sighting's.
        R, t = poses[:, :3, :3], poses[:, :3, 3]
        R_frame_host = np.einsum("fji,hjk->ikfh", R, R).reshape(3, 3, -1)[:, :, pair]
        to_host = np.einsum("fji,fhj->ifh", R, t - t[:, None]).reshape(3, -1)[:, pair]
        # The point in the frame that sees it, times its inverse depth: no division for far points.
        place = R_frame_host[:, 0] * right + R_frame_host[:, 1] * down + R_frame_host[:, 2] + depth_scale * to_host
        in_front, place = before_the_camera(place)
        pixels, by_frame = camera_jacobian(place, focal)
        by_place = -by_frame[:3] / place[2]
        residual = (pixels - wanted) / PIXEL_NOISE
        squared = (residual * residual).sum(axis=0)
        weight = np.sqrt(np.where(in_front, 1.0 / (1.0 + squared / ROBUST_WIDTH**2), 0.0))
        residual *= weight
        weight /= PIXEL_NOISE
        by_frame[:3] = -depth_scale * by_place
        a, b, c = by_host_place = np.einsum("iak,ijk->jak", by_place, R_frame_host)
        by_host[:3] = depth_scale * by_host_place
        by_host[3], by_host[4], by_host[5] = down * c - b, a - right * c, right * b - down * a
        by_depth = np.einsum("iak,ik->ak", by_place, to_host) * weight
        by_frame *= weight
        by_host *= weight
        J = np.zeros((free + 1, 6, 2, count))
        J[block, :, :, sighting] = by_frame.transpose(2, 0, 1)
        J[host_block, :, :, sighting] += by_host.transpose(2, 0, 1)
        J = J[:free].reshape(6 * free, -1)
        # Of a point's sightings each is in another frame, and all have one host.
        coupling = np.zeros((free + 1, 6, len(observed)))
        coupling[block, :, among_observed] = (by_frame * by_depth).sum(axis=1).T
        of_hosts = np.add.reduceat((by_host * by_depth).sum(axis=1), starts, axis=1)
        coupling[host_block[starts], :, nth] += of_hosts.T
        coupling = coupling[:free].reshape(6 * free, -1)

        deviation = (rho - points.prior) / points.prior_sigma
        trust = 1.0 / (1.0 + (deviation / ROBUST_WIDTH) ** 2) / points.prior_sigma
        H_depth = trust / points.prior_sigma
        g_depth = trust * deviation
        H_depth[observed] += np.add.reduceat((by_depth * by_depth).sum(axis=0), starts)
        g_depth[observed] += np.add.reduceat((by_depth * residual).sum(axis=0), starts)
        scaled = coupling / H_depth[observed]
        S = J @ J.T - scaled @ coupling.T + DAMPING * np.eye(6 * free)
        gradient = J @ residual.reshape(-1) - scaled @ g_depth[observed]
        add_turns(S, gradient, poses, turns, first)
        step = -np.linalg.solve(S, gradient)
        change = -g_depth
        change[observed] -= step @ coupling
        change /= H_depth
        rho = np.clip(rho + change, MIN_INVERSE_DEPTH, 5.0 * rho + 1e-2)
        for i in range(free):
            poses[first + i] = poses[first + i] @ exp_se3(step[6 * i : 6 * i + 6])
        if np.abs(step).max() < CONVERGED:
            break
    poses[first:, :3, :3] = orthonormalize(poses[first:, :3, :3])
    errors = np.where(in_front, PIXEL_NOISE * np.sqrt(squared), np.inf)
    return Adjusted(poses, rho, errors, np.linalg.inv((S + S.T) / 2))
