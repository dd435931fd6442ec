# SPDX-License-Identifier: Apache-2.0
"""The normal equations of a segment, reduced to the lens by eliminating points and poses (Schur complement)."""

from dataclasses import dataclass, replace

import numpy as np

from monodepth_ros.calibration.lens import PARAMETERS, Lens
from monodepth_ros.calibration.reconstruction import Structure
from monodepth_ros.calibration.sightings import linearize
from monodepth_ros.calibration.tracks import Segment
from monodepth_ros.geometry.motion import exp_se3

GAUGE = 1e-9  # relative to the diagonal: fixes a segment's place and size, which no sighting determines
MIN_INVERSE_DEPTH = -1e-2  # beyond infinity: noise around points that are practically infinitely far


@dataclass(frozen=True)
class Reduced:
    """The equations H (5, 5) and g (5,) of a step of the lens, and what is needed to go back to poses and points.

    by_point: (P, 5), each point's part of g.
    """

    H: np.ndarray
    g: np.ndarray
    by_point: np.ndarray
    poses_by_lens: np.ndarray
    pose_step: np.ndarray
    points_by_others: np.ndarray
    point_step: np.ndarray

    def steps(self, lens_step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Steps of the poses (F, 6) and the points (P, 3) that belong to a step (5,) of the lens."""
        poses = self.pose_step - self.poses_by_lens @ lens_step
        points = self.point_step - self.points_by_others @ np.concatenate([poses, lens_step])
        return poses.reshape(-1, 6), points


def reduce(segment: Segment, structure: Structure, lens: Lens, width: float, damping: float) -> Reduced:
    """The segment's equations with a Cauchy loss of this width [pixels], and with Levenberg's damping."""
    seen = linearize(segment, structure, lens)
    weight = np.where(seen.error < 900.0, 1.0 / (1.0 + (seen.error / width) ** 2), 0.0)
    root = np.sqrt(weight)
    residual = seen.residual * root
    by_pose, by_point, by_lens = seen.by_pose * root, seen.by_point * root, seen.by_lens * root
    starts = np.flatnonzero(np.r_[True, segment.point[1:] != segment.point[:-1]])
    poses = 6 * segment.frames
    total = poses + PARAMETERS

    def by_points(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, starts, axis=0)

    # Points: their blocks V, gradients, and their coupling W with poses and lens.
    V = by_points(np.einsum("iak,jak->kij", by_point, by_point))
    g_points = by_points(np.einsum("iak,ak->ki", by_point, residual))
    W = np.zeros((segment.points, 3, total))
    W.reshape(segment.points, 3, -1)[:, :, poses:] = by_points(np.einsum("iak,jak->kij", by_point, by_lens))
    coupling = np.einsum("iak,jak->kij", by_point, by_pose)
    columns = 6 * segment.frame[:, None] + np.arange(6)
    W[segment.point[:, None, None], np.arange(3)[:, None], columns[:, None, :]] = coupling
    # Poses and lens without the points.
    U = np.zeros((total, total))
    gradient_by_sighting = np.concatenate(
        [np.einsum("iak,ak->ki", by_pose, residual), np.einsum("iak,ak->ki", by_lens, residual)], axis=1
    )
    order = np.argsort(segment.frame, kind="stable")
    first = np.searchsorted(segment.frame[order], np.arange(segment.frames))
    filled = np.bincount(segment.frame, minlength=segment.frames) > 0
    blocks = np.zeros((segment.frames, 6, 11))
    both = np.concatenate([by_pose, by_lens])
    blocks[filled] = np.add.reduceat(np.einsum("iak,jak->kij", by_pose, both)[order], first[filled], axis=0)
    for frame, block in enumerate(blocks):
        rows = slice(6 * frame, 6 * frame + 6)
        U[rows, rows] = block[:, :6]
        U[rows, poses:] = block[:, 6:]
        U[poses:, rows] = block[:, 6:].T
    U[poses:, poses:] = np.einsum("iak,jak->ij", by_lens, by_lens)
    V[:, range(3), range(3)] *= 1.0 + damping
    V[:, range(3), range(3)] += 1e-9 * V[:, range(3), range(3)].max(axis=1, keepdims=True) + 1e-12
    U[range(poses), range(poses)] *= 1.0 + damping + GAUGE
    solved = np.linalg.solve(V, np.concatenate([W, g_points[:, :, None]], axis=2))
    points_by_others, point_step = solved[:, :, :total], -solved[:, :, total]
    flat = W.reshape(-1, total)
    S = U - flat.T @ points_by_others.reshape(-1, total)
    parts = -np.einsum("pit,pi->pt", W, solved[:, :, total])
    parts[:, poses:] += by_points(gradient_by_sighting[:, 6:])
    np.add.at(parts, (segment.point[:, None], columns), gradient_by_sighting[:, :6])
    S_pp = S[:poses, :poses] + 1e-9 * np.eye(poses) * np.trace(U[:poses, :poses]) / poses
    eliminated = np.linalg.solve(S_pp, np.column_stack([S[:poses, poses:], parts.sum(axis=0)[:poses]]))
    poses_by_lens, pose_step = eliminated[:, :PARAMETERS], -eliminated[:, PARAMETERS]
    point_parts = parts[:, poses:] - parts[:, :poses] @ poses_by_lens
    H = S[poses:, poses:] - S[poses:, :poses] @ poses_by_lens
    return Reduced(
        H=0.5 * (H + H.T),
        g=point_parts.sum(axis=0),
        by_point=point_parts,
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
