# SPDX-License-Identifier: Apache-2.0
"""First pose of a new image, from the points' optical flow."""

from collections.abc import Iterator

import numpy as np

from monodepth_ros.odometry.features.keyframe_window import KeyframeWindow
from monodepth_ros.odometry.features.robust_pose import motion_by_epipolar_geometry, pose_by_ransac, refine_pose
from monodepth_ros.odometry.features.tracking_camera import TrackingCamera
from monodepth_ros.odometry.gyro.rotation_prior import RotationPrior

INLIER_ERROR = 3.0  # largest error of optical flow against the pose [pixels]
DOUBTFUL_SHARE = 0.6  # with a smaller share of inliers, other ways to the pose are tried


def rough_pose(
    window: KeyframeWindow, camera: TrackingCamera, expected: np.ndarray, prior: RotationPrior | None
) -> tuple[np.ndarray, np.ndarray]:
    """T_world_camera (4, 4) of the points' pixels, and each point's error (M,) [pixels] at any depth it may have.

    The search begins at the expected pose. If most points disagree with the result, poses by RANSAC over the points'
    depths and over the epipolar geometry compete with it.
    """
    world, rays = window.points_in_world(), camera.rays(window.points.pixel)

    def refined(start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        pose, _ = refine_pose(start, world, rays, camera.focal, prior)
        return pose, window.errors_at_any_depth(pose)

    best = refined(expected)
    if inlier_share(best[1]) > DOUBTFUL_SHARE:
        return best
    for start in _other_starts(window, world, rays, camera.focal):
        other = refined(start)
        if inlier_share(other[1]) > inlier_share(best[1]):
            best = other
    return best


def inlier_share(errors: np.ndarray) -> float:
    """Share of the points whose error (M,) [pixels] is that of an inlier."""
    return float(np.mean(errors < INLIER_ERROR))


def _other_starts(window: KeyframeWindow, world: np.ndarray, rays: np.ndarray, focal: float) -> Iterator[np.ndarray]:
    """Poses T_world_camera found without an expectation."""
    pose = pose_by_ransac(world, rays, focal)
    if pose is not None:
        yield pose
    keyframe, points = window.poses[-1], window.points
    seen = points.is_seen[:, -1]
    depth = ((world[seen] - keyframe[:3, 3]) @ keyframe[:3, :3])[:, 2]
    motion = motion_by_epipolar_geometry(points.rays[seen, -1], rays[seen], 1.0 / depth, focal)
    if motion is not None:
        yield keyframe @ motion
