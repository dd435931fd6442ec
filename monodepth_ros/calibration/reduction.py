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
    """The equations H (5, 5) and g (5,) of a step of the lens, and the way back to the steps of poses and points.

    by_point: (P, 5), each point's part of g.
    """

    H: np.ndarray
    by_point: np.ndarray
    poses_by_lens: np.ndarray
    pose_step: np.ndarray
    points_by_others: np.ndarray
    point_step: np.ndarray

    @property
    def g(self) -> np.ndarray:
        return self.by_point.sum(axis=0)

    def steps(self, lens_step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Steps of the poses (F, 6) and the points (P, 3) that belong to a step (5,) of the lens."""
        poses = self.pose_step - self.poses_by_lens @ lens_step
        points = self.point_step - self.points_by_others @ np.concatenate([poses, lens_step])
        return poses.reshape(-1, 6), points


def reduce(segment: Segment, structure: Structure, lens: Lens, width: float, damping: float) -> Reduced:
    """The segment's equations with a Cauchy loss of this width [pixels], and with Levenberg's damping."""
    seen = _weighted(linearize(segment, structure, lens), width)
    poses = 6 * segment.frames
    U, parts = _without_points(segment, seen)
    V, W, g_points = _point_blocks(segment, seen)
    V[:, range(3), range(3)] *= 1.0 + damping
    V[:, range(3), range(3)] += GAUGE * V[:, range(3), range(3)].max(axis=1, keepdims=True) + 1e-12
    U[range(poses), range(poses)] *= 1.0 + damping
    U[range(poses), range(poses)] += GAUGE * np.trace(U[:poses, :poses]) / poses
    # The points are eliminated first: their blocks of three are independent of each other.
    solved = np.linalg.solve(V, np.concatenate([W, g_points[:, :, None]], axis=2))
    points_by_others, point_step = solved[:, :, :-1], -solved[:, :, -1]
    S = U - W.reshape(-1, len(U)).T @ points_by_others.reshape(-1, len(U))
    parts += np.einsum("pit,pi->pt", W, point_step)
    # Then the poses.
    eliminated = np.linalg.solve(S[:poses, :poses], np.column_stack([S[:poses, poses:], parts.sum(axis=0)[:poses]]))
    poses_by_lens, pose_step = eliminated[:, :PARAMETERS], -eliminated[:, PARAMETERS]
    H = S[poses:, poses:] - S[poses:, :poses] @ poses_by_lens
    return Reduced(
        H=0.5 * (H + H.T),
        by_point=parts[:, poses:] - parts[:, :poses] @ poses_by_lens,
        poses_by_lens=poses_by_lens,
        pose_step=pose_step,
        points_by_others=points_by_others,
        point_step=point_step,
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
    """Normal matrix (T, T) of poses and lens, T = 6 F + 5, and each point's part of their gradient (P, T)."""
    poses = 6 * segment.frames
    U, parts = np.zeros((poses + PARAMETERS,) * 2), np.zeros((segment.points, poses + PARAMETERS))
    both = np.concatenate([seen.by_pose, seen.by_lens])
    blocks = np.einsum("iak,jak->kij", seen.by_pose, both)
    for frame in range(segment.frames):
        rows = slice(6 * frame, 6 * frame + 6)
        block = blocks[segment.frame == frame].sum(axis=0)
        U[rows, rows], U[rows, poses:], U[poses:, rows] = block[:, :6], block[:, 6:], block[:, 6:].T
    U[poses:, poses:] = np.einsum("iak,jak->ij", seen.by_lens, seen.by_lens)
    gradient = np.einsum("iak,ak->ki", both, seen.residual)
    # A point has at most one sighting in a frame.
    parts[segment.point[:, None], _columns(segment)] = gradient[:, :6]
    parts[:, poses:] = _sum_by_point(segment, gradient[:, 6:])
    return U, parts


def _point_blocks(segment: Segment, seen: Linearized) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The points' normal matrices (P, 3, 3), their coupling with poses and lens (P, 3, T), and gradients (P, 3)."""
    poses = 6 * segment.frames
    W = np.zeros((segment.points, 3, poses + PARAMETERS))
    W[segment.point[:, None, None], np.arange(3)[:, None], _columns(segment)[:, None, :]] = np.einsum(
        "iak,jak->kij", seen.by_point, seen.by_pose
    )
    W[:, :, poses:] = _sum_by_point(segment, np.einsum("iak,jak->kij", seen.by_point, seen.by_lens))
    V = _sum_by_point(segment, np.einsum("iak,jak->kij", seen.by_point, seen.by_point))
    return V, W, _sum_by_point(segment, np.einsum("iak,ak->ki", seen.by_point, seen.residual))


def _columns(segment: Segment) -> np.ndarray:
    """The six columns (K, 6) of each sighting's pose."""
    return 6 * segment.frame[:, None] + np.arange(6)


def _sum_by_point(segment: Segment, values: np.ndarray) -> np.ndarray:
    """Sums (P, ...) over the sightings of each point, of values (K, ...)."""
    starts = np.flatnonzero(np.r_[True, segment.point[1:] != segment.point[:-1]])
    return np.add.reduceat(values, starts, axis=0)
