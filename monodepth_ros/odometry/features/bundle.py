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
from monodepth_ros.odometry.features.robust_pose import MIN_DEPTH, camera_jacobian
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
    starts = np.flatnonzero(np.r_[True, seen.point[1:] != seen.point[:-1]])
    observed = seen.point[starts]
    host = points.host[seen.point]
    host_ray = np.column_stack([points.ray[seen.point], np.ones(count)])
    # The block of columns that a frame's pose has; frames that are held share one that is thrown away.
    block, host_block = (np.where(frame < first, free, frame - first) for frame in (seen.frame, host))
    rows = np.arange(count)
    for _ in range(iterations):
        depth_scale = rho[seen.point]
        R, t = poses[seen.frame, :3, :3], poses[seen.frame, :3, 3]
        R_frame_host = R.transpose(0, 2, 1) @ poses[host, :3, :3]
        to_host = np.einsum("kji,kj->ki", R, poses[host, :3, 3] - t)
        # The point in the frame that sees it, times its inverse depth: no division for far points.
        place = np.einsum("kij,kj->ki", R_frame_host, host_ray) + depth_scale[:, None] * to_host
        in_front = place[:, 2] > MIN_DEPTH
        place = np.where(in_front[:, None], place, (0.0, 0.0, 1.0))
        pixels, by_frame = camera_jacobian(place, focal)
        by_place = -by_frame[:, :, :3] / place[:, 2, None, None]
        residual = (pixels - focal * seen.ray) / PIXEL_NOISE
        squared = np.einsum("ka,ka->k", residual, residual)
        weight = np.where(in_front, 1.0 / (1.0 + squared / ROBUST_WIDTH**2), 0.0)
        weight = np.sqrt(weight)[:, None, None]
        by_frame[:, :, :3] = -depth_scale[:, None, None] * by_place
        by_host_place = by_place @ R_frame_host
        by_host = np.concatenate(
            [depth_scale[:, None, None] * by_host_place, np.cross(host_ray[:, None, :], by_host_place)], axis=-1
        )
        J = np.zeros((count, 2, free + 1, 6))
        J[rows, :, block] = by_frame
        J[rows, :, host_block] += by_host
        J = (J[:, :, :free] * (weight[..., None] / PIXEL_NOISE)).reshape(count, 2, 6 * free)
        by_depth = np.einsum("kab,kb->ka", by_place, to_host) * (weight[..., 0] / PIXEL_NOISE)
        residual = residual * weight[..., 0]

        deviation = (rho - points.prior) / points.prior_sigma
        trust = 1.0 / (1.0 + (deviation / ROBUST_WIDTH) ** 2) / points.prior_sigma
        H_depth = trust / points.prior_sigma
        g_depth = trust * deviation
        H_depth[observed] += np.add.reduceat(np.einsum("ka,ka->k", by_depth, by_depth), starts)
        g_depth[observed] += np.add.reduceat(np.einsum("ka,ka->k", by_depth, residual), starts)
        coupling = np.add.reduceat(np.einsum("kap,ka->kp", J, by_depth), starts)
        J = J.reshape(-1, 6 * free)
        scaled = coupling / H_depth[observed, None]
        S = J.T @ J - scaled.T @ coupling + DAMPING * np.eye(6 * free)
        gradient = J.T @ residual.reshape(-1) - scaled.T @ g_depth[observed]
        add_turns(S, gradient, poses, turns, first)
        step = -np.linalg.solve(S, gradient)
        change = -g_depth
        change[observed] -= coupling @ step
        change /= H_depth
        rho = np.clip(rho + change, MIN_INVERSE_DEPTH, 5.0 * rho + 1e-2)
        for i in range(free):
            poses[first + i] = poses[first + i] @ exp_se3(step[6 * i : 6 * i + 6])
        if np.abs(step).max() < CONVERGED:
            break
    for i in range(first, len(poses)):
        poses[i, :3, :3] = orthonormalize(poses[i, :3, :3])
    errors = np.where(in_front, PIXEL_NOISE * np.sqrt(squared), np.inf)
    return Adjusted(poses, rho, errors, np.linalg.inv((S + S.T) / 2))
