# SPDX-License-Identifier: Apache-2.0
"""How much of an image's motion shows depth: what no rotation of the camera explains."""

import cv2
import numpy as np

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.corner_flow import follow_corners

POINTS = 300
MIN_POINTS = 20
# Pixels by which a tracked point may miss what a rotation says: the trackers' own error is about a tenth.
TOLERANCE = 0.4
LOST = 0.5  # pixels between a point and where tracking it there and back leads
ROUNDS = 15


def parallax_share(earlier: np.ndarray, later: np.ndarray, camera: CameraModel) -> float:
    """Share of the tracked points that move otherwise than under the best rotation of the camera; NaN if few
    are tracked.

    earlier, later: (H, W) uint8 grey images of `camera`. A camera that only turns gives about 0 (moving
    objects aside), and no network can learn depth from that.
    """
    points = tracked_points(earlier, later)
    if points is None:
        return float("nan")
    rays = [_directions(camera, ends) for ends in points]
    known = np.isfinite(rays[0]).all(axis=1) & np.isfinite(rays[1]).all(axis=1)
    if np.count_nonzero(known) < MIN_POINTS:
        return float("nan")
    before, after = (ray[known] for ray in rays)
    missed = np.linalg.norm(after - before @ best_rotation(before, after).T, axis=1)
    return float(np.mean(missed * camera.fx > TOLERANCE))


def tracked_points(earlier: np.ndarray, later: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """(N, 2) pixels of corners in both images, those that are found again on the way back; None for fewer
    than MIN_POINTS."""
    corners = cv2.goodFeaturesToTrack(earlier, POINTS, 0.01, 4)
    if corners is None:
        return None
    corners = corners.reshape(-1, 2)
    there, good = follow_corners(earlier, later, corners, window=(11, 11), tolerance=LOST)
    corners, there = corners.astype(np.float64), there.astype(np.float64)
    return (corners[good], there[good]) if np.count_nonzero(good) >= MIN_POINTS else None


def best_rotation(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """R (3, 3) that brings the unit vectors `before` (N, 3) nearest to `after`: least sum of distances, not
    of their squares, so that a minority that moves otherwise does not count (weighted Kabsch, iterated)."""
    weights = np.ones(len(before))
    R = np.eye(3)
    for _ in range(ROUNDS):
        U, _, Vt = np.linalg.svd((after * weights[:, None]).T @ before)
        R = U @ np.diag([1.0, 1.0, np.sign(np.linalg.det(U @ Vt))]) @ Vt
        weights = 1.0 / np.maximum(np.linalg.norm(after - before @ R.T, axis=1), 1e-5)
    return R


def _directions(camera: CameraModel, pixels: np.ndarray) -> np.ndarray:
    rays = camera.backproject(pixels, np.ones(len(pixels)))
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)
