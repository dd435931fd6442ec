# SPDX-License-Identifier: Apache-2.0
"""Reprojection errors of points seen in several frames, and their derivatives."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.odometry.features.robust_pose import before_the_camera, camera_jacobian

PIXEL_NOISE = 0.2  # standard deviation of a point's place [pixels of the tracked image]
ROBUST_WIDTH = 2.0  # width of the Cauchy loss, in standard deviations


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
class Linearized:
    """Weighted errors of K sightings in standard deviations, residual (2, K), and their derivatives.

    by_frame, by_host: (6, 2, K), by a small motion of the frame that sees the point and of its host, in their own axes.
    by_depth: (2, K), by the point's inverse depth. errors: (K,) without weights [pixels], infinite behind the camera.
    """

    residual: np.ndarray
    by_frame: np.ndarray
    by_host: np.ndarray
    by_depth: np.ndarray
    errors: np.ndarray


class SightingModel:
    """Projects the points of one adjustment into the frames that see them.

    The point in the seeing frame is scaled by its inverse depth, so far points need no division. The many sightings are
    the last dimension: every operation on all of them runs over contiguous memory.
    """

    def __init__(self, points: DepthPoints, seen: Observations, frames: int, focal: float):
        self._point, self._focal = seen.point, focal
        self._right, self._down = points.ray[seen.point].T
        self._wanted = focal * seen.ray.T
        self._pair = seen.frame * frames + points.host[seen.point]

    def linearize(self, poses: np.ndarray, inverse_depth: np.ndarray) -> Linearized:
        """Errors and derivatives at poses (F, 4, 4) T_world_camera and inverse depths (M,)."""
        right, down, rho = self._right, self._down, inverse_depth[self._point]
        # T_frame_host for every pair of frames, and then for each sighting.
        R, t = poses[:, :3, :3], poses[:, :3, 3]
        R_frame_host = np.einsum("fji,hjk->ikfh", R, R).reshape(3, 3, -1)[:, :, self._pair]
        to_host = np.einsum("fji,fhj->ifh", R, t - t[:, None]).reshape(3, -1)[:, self._pair]
        place = R_frame_host[:, 0] * right + R_frame_host[:, 1] * down + R_frame_host[:, 2] + rho * to_host
        in_front, place = before_the_camera(place)
        pixels, by_frame = camera_jacobian(place, self._focal)
        by_place = -by_frame[:3] / place[2]
        residual = (pixels - self._wanted) / PIXEL_NOISE
        squared = (residual * residual).sum(axis=0)
        weight = np.sqrt(np.where(in_front, 1.0 / (1.0 + squared / ROBUST_WIDTH**2), 0.0))
        residual *= weight
        weight /= PIXEL_NOISE
        by_frame[:3] = -rho * by_place
        a, b, c = by_host_place = np.einsum("iak,ijk->jak", by_place, R_frame_host)
        by_host = np.empty_like(by_frame)
        by_host[:3] = rho * by_host_place
        by_host[3], by_host[4], by_host[5] = down * c - b, a - right * c, right * b - down * a
        by_depth = np.einsum("iak,ik->ak", by_place, to_host) * weight
        by_frame *= weight
        by_host *= weight
        errors = np.where(in_front, PIXEL_NOISE * np.sqrt(squared), np.inf)
        return Linearized(residual, by_frame, by_host, by_depth, errors)
