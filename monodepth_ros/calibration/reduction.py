# SPDX-License-Identifier: Apache-2.0
"""The normal equations of a segment, reduced to the lens by eliminating points and poses (Schur complement twice)."""

from dataclasses import dataclass, replace

import numpy as np

from monodepth_ros.calibration.lens import PARAMETERS, Lens
from monodepth_ros.calibration.reconstruction import Structure
from monodepth_ros.calibration.sightings import BEHIND, Linearized, linearize
from monodepth_ros.calibration.tracks import Segment
from monodepth_ros.geometry.motion import exp_se3

# Relative to the diagonal: fixes the place and the size of a segment, and the depth of points seen without parallax.
GAUGE = 1e-9
MIN_INVERSE_DEPTH = -1e-2  # slightly beyond infinity: the noise of points that are practically infinitely far


@dataclass(frozen=True)
class Reduced:
    """The equations H (8, 8) and g (8,) of a step of the lens, and the way back to the steps of poses and points.

    by_point: (P, 8), each point's part of g.
    """

    H: np.ndarray
    by_point: np.ndarray
    poses_by_lens: np.ndarray
    pose_step: np.ndarray
    points: tuple[np.ndarray, np.ndarray, np.ndarray]

    @property
    def g(self) -> np.ndarray:
        return self.by_point.sum(axis=0)

    def steps(self, lens_step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Steps of the poses (F, 6) and the points (P, 3) that belong to a step (8,) of the lens."""
        poses = self.pose_step - self.poses_by_lens @ lens_step
        L, W, g = self.points
        return poses.reshape(-1, 6), -_solved(L, g + W @ np.concatenate([poses, lens_step]))


def reduce(segment: Segment, structure: Structure, lens: Lens, width: float, damping: float) -> Reduced:
    """The segment's equations with a Cauchy loss of this width [pixels], and with Levenberg's damping."""
    seen = _weighted(linearize(segment, structure, lens), width)
    poses = 6 * segment.frames
    U, parts = _without_points(segment, seen)
    L, W, g_points = _point_blocks(segment, seen, damping)
    U[range(poses), range(poses)] *= 1.0 + damping
    U[range(poses), range(poses)] += GAUGE * np.trace(U[:poses, :poses]) / poses
    # The points are eliminated first: their blocks of three are independent of each other.
    Y, solved = _forward(L, W), _forward(L, g_points[:, :, None])
    S = U - sum(rows.T @ rows for rows in Y)
    parts -= sum(rows * column for rows, column in zip(Y, solved))
    # Then the poses.
    eliminated = np.linalg.solve(S[:poses, :poses], np.column_stack([S[:poses, poses:], parts.sum(axis=0)[:poses]]))
    poses_by_lens, pose_step = eliminated[:, :PARAMETERS], -eliminated[:, PARAMETERS]
    H = S[poses:, poses:] - S[poses:, :poses] @ poses_by_lens
    return Reduced(
        H=0.5 * (H + H.T),
        by_point=parts[:, poses:] - parts[:, :poses] @ poses_by_lens,
        poses_by_lens=poses_by_lens,
        pose_step=pose_step,
        points=(L, W, g_points),
    )


def moved(structure: Structure, pose_steps: np.ndarray, point_steps: np.ndarray) -> Structure:
    """The structure after steps of its poses (F, 6) and of its points' coordinates (P, 3)."""
    poses = np.stack([pose @ exp_se3(step) for pose, step in zip(structure.poses, pose_steps)])
    coordinates = structure.coordinates + point_steps
    coordinates[:, 2] = np.maximum(coordinates[:, 2], MIN_INVERSE_DEPTH)
    return replace(structure, poses=poses, coordinates=coordinates)


def _weighted(seen: Linearized, width: float) -> Linearized:
    """Residuals and derivatives times the square roots of the Cauchy loss's weights."""
    root = np.where(seen.error < BEHIND, 1.0 / np.hypot(1.0, seen.error / width), 0.0)
    return Linearized(
        seen.residual * root, seen.by_pose * root, seen.by_point * root, seen.by_lens * root, error=seen.error
    )


def _without_points(segment: Segment, seen: Linearized) -> tuple[np.ndarray, np.ndarray]:
    """Normal matrix (T, T) of poses and lens, T = 6 F + 8, and each point's part of their gradient (P, T)."""
    poses = 6 * segment.frames
    U, parts = np.zeros((poses + PARAMETERS,) * 2), np.zeros((segment.points, poses + PARAMETERS))
    both = np.ascontiguousarray(np.concatenate([seen.by_pose, seen.by_lens]).T)
    blocks = both[:, :, :6].transpose(0, 2, 1) @ both
    for frame in range(segment.frames):
        rows = slice(6 * frame, 6 * frame + 6)
        block = blocks[segment.frame == frame].sum(axis=0)
        U[rows, rows], U[rows, poses:], U[poses:, rows] = block[:, :6], block[:, 6:], block[:, 6:].T
    by_lens = seen.by_lens.reshape(PARAMETERS, -1)
    U[poses:, poses:] = by_lens @ by_lens.T
    gradient = (seen.residual.T[:, None, :] @ both)[:, 0]
    # A point has at most one sighting in a frame.
    parts[segment.point[:, None], _columns(segment)] = gradient[:, :6]
    parts[:, poses:] = _sum_by_point(segment, gradient[:, 6:])
    return U, parts


def _point_blocks(segment: Segment, seen: Linearized, damping: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cholesky factors (P, 3, 3) of the points' damped normal matrices, their coupling with poses and lens (P, 3, T),
    and gradients (P, 3)."""
    poses = 6 * segment.frames
    W = np.zeros((segment.points, 3, poses + PARAMETERS))
    by_point, by_pose, by_lens = (np.ascontiguousarray(part.T) for part in (seen.by_point, seen.by_pose, seen.by_lens))
    turned = by_point.transpose(0, 2, 1)
    W[segment.point[:, None, None], np.arange(3)[:, None], _columns(segment)[:, None, :]] = turned @ by_pose
    W[:, :, poses:] = _sum_by_point(segment, turned @ by_lens)
    V = _sum_by_point(segment, turned @ by_point)
    diagonal = V[:, range(3), range(3)]
    V[:, range(3), range(3)] = (1.0 + damping) * diagonal + GAUGE * diagonal.max(axis=1, keepdims=True) + 1e-12
    g = _sum_by_point(segment, (turned @ seen.residual.T[:, :, None])[:, :, 0])
    return np.linalg.cholesky(V), W, g


def _forward(L: np.ndarray, W: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows (P, T) each of inverse(L) W, for lower triangles L (P, 3, 3) and W (P, 3, T)."""
    first = W[:, 0] / L[:, 0, :1]
    second = (W[:, 1] - L[:, 1, :1] * first) / L[:, 1, 1:2]
    third = (W[:, 2] - L[:, 2, :1] * first - L[:, 2, 1:2] * second) / L[:, 2, 2:3]
    return first, second, third


def _solved(L: np.ndarray, g: np.ndarray) -> np.ndarray:
    """The solutions (P, 3) of L L^T x = g."""
    a, b, c = (row[:, 0] for row in _forward(L, g[:, :, None]))
    z = c / L[:, 2, 2]
    y = (b - L[:, 2, 1] * z) / L[:, 1, 1]
    x = (a - L[:, 1, 0] * y - L[:, 2, 0] * z) / L[:, 0, 0]
    return np.stack([x, y, z], axis=1)


def _columns(segment: Segment) -> np.ndarray:
    """The six columns (K, 6) of each sighting's pose."""
    return 6 * segment.frame[:, None] + np.arange(6)


def _sum_by_point(segment: Segment, values: np.ndarray) -> np.ndarray:
    """Sums (P, ...) over the sightings of each point, of values (K, ...)."""
    starts = np.flatnonzero(np.r_[True, segment.point[1:] != segment.point[:-1]])
    return np.add.reduceat(values, starts, axis=0)
