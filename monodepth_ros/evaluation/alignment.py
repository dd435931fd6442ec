# SPDX-License-Identifier: Apache-2.0
"""Alignment of points: the rigid motion or similarity with the least squared distances."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Similarity:
    """x -> scale R x + t; R (3, 3), t (3,)."""

    scale: float
    R: np.ndarray
    t: np.ndarray

    def points(self, points: np.ndarray) -> np.ndarray:
        """The transformed points (N, 3)."""
        return self.scale * points @ self.R.T + self.t

    def poses(self, poses: np.ndarray) -> np.ndarray:
        """The transformed poses (N, 4, 4): positions are scaled, orientations stay rotations."""
        moved = poses.copy()
        moved[:, :3, :3] = self.R @ poses[:, :3, :3]
        moved[:, :3, 3] = self.points(poses[:, :3, 3])
        return moved


def umeyama(points: np.ndarray, targets: np.ndarray, with_scale: bool) -> Similarity:
    """The least-squares similarity from points (N, 3) to targets (N, 3) (Umeyama 1991, equations 40 to 42).

    Without with_scale: a rigid motion. Never a mirror image. The scale is NaN if all points are the same.
    """
    centre, target_centre = points.mean(axis=0), targets.mean(axis=0)
    centred = points - centre
    u, sizes, vt = np.linalg.svd((targets - target_centre).T @ centred / len(points))
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    R = (u * signs) @ vt
    scale = 1.0
    if with_scale:
        variance = np.square(centred).sum() / len(points)
        scale = float(sizes @ signs / variance) if variance > 0 else float("nan")
    return Similarity(scale, R, target_centre - scale * R @ centre)


def best_scale(points: np.ndarray, targets: np.ndarray) -> float:
    """The factor on points (N, 3) with the least squared distances to targets (N, 3); NaN if all points are 0."""
    size = float(np.square(points).sum())
    return float((points * targets).sum()) / size if size > 0 else float("nan")
