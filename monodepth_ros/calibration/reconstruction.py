# SPDX-License-Identifier: Apache-2.0
"""First poses and depths of a segment, for an assumed lens."""

from dataclasses import dataclass

import cv2
import numpy as np

from monodepth_ros.calibration.lens import Lens
from monodepth_ros.calibration.tracks import Segment
from monodepth_ros.geometry.motion import invert, make_transform
from monodepth_ros.odometry.features.robust_pose import pose_by_ransac, refine_pose

FIRST_PAIR = (8, 6, 4, 3)  # keyframes after the first that are tried for the first motion
MIN_PAIR = 30  # number of common points of the first pair
THRESHOLD = 1.5  # distance from an epipolar line [pixels]
INLIER_ERROR = 4.0  # [pixels]
MIN_SHARE = 0.4  # of inliers; below it the pose is searched by RANSAC
MIN_POINTS = 12
MIN_INVERSE_DEPTH = 1e-4  # in units of the first motion


@dataclass(frozen=True)
class Structure:
    """Poses and points of a segment.

    poses: (F, 4, 4) T_world_camera. anchors: (F, 4, 4), the first poses, which no adjustment moves. host: (P,) the
    frame that sees a point first. coordinates: (P, 3): x / z, y / z and 1 / z of the points in their hosts' anchors.
    """

    poses: np.ndarray
    anchors: np.ndarray
    host: np.ndarray
    coordinates: np.ndarray

    def with_points(self, kept: np.ndarray) -> "Structure":
        """The structure of some points, (P,) bool."""
        return Structure(self.poses, self.anchors, self.host[kept], self.coordinates[kept])


def reconstruct(segment: Segment, lens: Lens) -> Structure | None:
    """Structure of the segment seen through `lens`, in units of the first motion; None if the points give no motion.

    The essential matrix of a first pair begins; each further frame is placed by the points known so far.
    """
    rays = lens.rays(segment.pixel)
    known = np.isfinite(rays).all(axis=1)
    first = _first_motion(segment, rays, known, lens.focal)
    if first is None:
        return None
    second, T_0_second = first
    poses = np.tile(np.eye(4), (segment.frames, 1, 1))
    poses[second] = T_0_second
    placed = np.zeros(segment.frames, bool)
    placed[[0, second]] = True
    for frame in [*range(1, second), *range(second + 1, segment.frames)]:
        coordinates, is_known = triangulate(segment, rays, known, poses, placed)
        chosen = np.flatnonzero((segment.frame == frame) & known & is_known[segment.point])
        world = _in_world(segment, poses, coordinates)[segment.point[chosen]]
        pose = _place(world, rays[chosen], poses[frame - 1], lens.focal)
        if pose is None:
            return None
        poses[frame], placed[frame] = pose, True
    coordinates, _ = triangulate(segment, rays, known, poses, placed)
    return Structure(poses, poses.copy(), _hosts(segment), coordinates)


def triangulate(
    segment: Segment, rays: np.ndarray, known: np.ndarray, poses: np.ndarray, placed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """x / z, y / z and 1 / z (P, 3) of the points in their first frames, and which are seen twice by placed frames.

    The inverse depth along the first ray is the least-squares solution of all other sightings.
    """
    hosts = _hosts(segment)
    is_first = np.r_[True, segment.point[1:] != segment.point[:-1]]
    host_rays = np.nan_to_num(rays[is_first])
    host, ray = hosts[segment.point], host_rays[segment.point]
    R, t = poses[:, :3, :3], poses[:, :3, 3]
    R_frame_host = np.einsum("kji,kjl->kil", R[segment.frame], R[host])
    to_host = np.einsum("kji,kj->ki", R[segment.frame], t[host] - t[segment.frame])
    direction = np.einsum("kij,kj->ki", R_frame_host, np.column_stack([ray, np.ones(len(ray))]))
    used = known & known[is_first][segment.point] & placed[segment.frame] & placed[host] & ~is_first
    wanted = np.nan_to_num(rays)
    a = direction[:, :2] - wanted * direction[:, 2:]
    b = to_host[:, :2] - wanted * to_host[:, 2:]
    top = np.bincount(segment.point, np.where(used, -(a * b).sum(axis=1), 0.0), segment.points)
    bottom = np.bincount(segment.point, np.where(used, (b * b).sum(axis=1), 0.0), segment.points)
    inverse = np.maximum(top / np.maximum(bottom, 1e-12), MIN_INVERSE_DEPTH)
    return np.column_stack([host_rays, inverse]), bottom > 1e-12


def _hosts(segment: Segment) -> np.ndarray:
    """The first frame (P,) of each point."""
    return segment.frame[np.r_[True, segment.point[1:] != segment.point[:-1]]]


def _first_motion(segment: Segment, rays: np.ndarray, known: np.ndarray, focal: float) -> tuple[int, np.ndarray] | None:
    """The second keyframe of the first pair, and T_first_second (4, 4) with a motion of length 1."""
    for second in FIRST_PAIR:
        if second >= segment.frames:
            continue
        before, after = _common(segment, known, 0, second)
        if len(before) < MIN_PAIR:
            continue
        cv2.setRNGSeed(1)
        essential, inliers = cv2.findEssentialMat(
            rays[before], rays[after], np.eye(3), method=cv2.USAC_MAGSAC, prob=0.999, threshold=THRESHOLD / focal
        )
        if essential is None or essential.shape != (3, 3):
            continue
        _, R, direction, _ = cv2.recoverPose(essential, rays[before], rays[after], np.eye(3), mask=inliers)
        return second, invert(make_transform(R, direction.reshape(3)))
    return None


def _common(segment: Segment, known: np.ndarray, first: int, second: int) -> tuple[np.ndarray, np.ndarray]:
    """The sightings (N,) of the same points in two frames."""
    rows = []
    for frame in (first, second):
        at = np.full(segment.points, -1)
        chosen = np.flatnonzero((segment.frame == frame) & known)
        at[segment.point[chosen]] = chosen
        rows.append(at)
    both = (rows[0] >= 0) & (rows[1] >= 0)
    return rows[0][both], rows[1][both]


def _in_world(segment: Segment, poses: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """Positions (P, 3) of the points."""
    hosts = poses[_hosts(segment)]
    local = np.column_stack([coordinates[:, :2], np.ones(segment.points)]) / coordinates[:, 2:]
    return np.einsum("nij,nj->ni", hosts[:, :3, :3], local) + hosts[:, :3, 3]


def _place(world: np.ndarray, rays: np.ndarray, expected: np.ndarray, focal: float) -> np.ndarray | None:
    """T_world_camera (4, 4), near the expected one, that sees points (N, 3) along rays (N, 2); None for too few."""
    if len(world) < MIN_POINTS:
        return None
    pose, error = refine_pose(expected, world, rays, focal)
    if np.mean(error < INLIER_ERROR) < MIN_SHARE:
        other = pose_by_ransac(world, rays, focal)
        if other is not None:
            other, other_error = refine_pose(other, world, rays, focal)
            if np.mean(other_error < INLIER_ERROR) > np.mean(error < INLIER_ERROR):
                pose = other
    return pose
