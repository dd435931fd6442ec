# SPDX-License-Identifier: Apache-2.0
"""Parallax: the part of an image's motion that no rotation of the camera explains, and that therefore shows depth."""

import cv2
import numpy as np

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.corner_flow import follow_corners

POINTS = 300
MIN_POINTS = 20
# Pixels that a tracked point may lie off the rotation's prediction. The tracker's own error is about 0.1 px.
TOLERANCE = 0.4
LOST = 0.5  # pixels that a point may lie off its start after tracking it there and back
ROUNDS = 15


def parallax_share(earlier: np.ndarray, later: np.ndarray, camera: CameraModel) -> float:
    """Share of the tracked points whose motion the best rotation of the camera does not explain.

    earlier, later: (H, W) uint8 grey images of `camera`. NaN if fewer than MIN_POINTS points are tracked. A camera that
    only rotates gives about 0, apart from moving objects; no network can learn depth from such images.
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
    """(N, 2) pixels of the same corners in both images; None for fewer than MIN_POINTS.

    Only corners that tracking there and back returns to their start are kept.
    """
    corners = cv2.goodFeaturesToTrack(earlier, POINTS, 0.01, 4)
    if corners is None:
        return None
    corners = corners.reshape(-1, 2)
    there, good = follow_corners(earlier, later, corners, window=(11, 11), tolerance=LOST)
    corners, there = corners.astype(np.float64), there.astype(np.float64)
    return (corners[good], there[good]) if np.count_nonzero(good) >= MIN_POINTS else None


def best_rotation(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """R (3, 3) that brings the unit vectors `before` (N, 3) nearest to `after` (N, 3).

    Minimises the sum of the distances by iterated, weighted Kabsch. Distances instead of their squares keep a minority
    of independently moving points without influence.
    """
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
