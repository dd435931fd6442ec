# SPDX-License-Identifier: Apache-2.0
"""The last keyframes, the points seen in them, and the newest frame."""

from dataclasses import dataclass, replace

import numpy as np

from monodepth_ros.geometry.motion import adjoint, invert
from monodepth_ros.odometry.corners import find_corners
from monodepth_ros.odometry.features.bundle import adjust
from monodepth_ros.odometry.features.depth_agreement import depth_agreement, robust_spread
from monodepth_ros.odometry.features.depth_prior import depth_prior
from monodepth_ros.odometry.features.patches import SIDE, align_patches, warped_patches
from monodepth_ros.odometry.features.point_table import PointTable
from monodepth_ros.odometry.features.robust_pose import MIN_DEPTH
from monodepth_ros.odometry.features.sightings import PIXEL_NOISE, DepthPoints, Observations
from monodepth_ros.odometry.features.tracking_camera import TrackingCamera
from monodepth_ros.odometry.gyro.gyro import Turn

LENGTH = 6  # number of keyframes to keep
FREE = 4  # number of keyframes that the adjustment may still move, besides the newest frame
ITERATIONS = 3  # iterations of the bundle adjustment per frame
# A frame becomes a keyframe at this median parallax without rotation [pixels], or with a smaller share of the wanted
# points.
KEYFRAME_PARALLAX = 10.0
KEYFRAME_SHARE = 0.45
WARP_REACH = 2.0  # distance over which the warp of a patch is measured [pixels]
MAX_WARP = 8.0  # largest change of a patch's area
MEDIAN_OF_RAYLEIGH = 1.1774  # median distance of a two-dimensional error, in its standard deviations
VARIANCE_LIMITS = (0.1, 10.0)  # limits of the factor by which the errors' size changes the covariance


@dataclass(frozen=True)
class WindowState:
    """State that a frame may change before it is settled. Its arrays are never written to, only replaced."""

    points: PointTable
    poses: np.ndarray
    turns: int


class KeyframeWindow:
    """Poses and images of up to LENGTH keyframes; the world is the camera's frame at the first image.

    poses: (F, 4, 4) T_world_camera of the keyframes and, between `look` and `settle`, of the newest frame. points: the
    tracked points, with their sightings in these frames.
    """

    def __init__(self, camera: TrackingCamera, count: int, gray: np.ndarray, inverse_depth: np.ndarray):
        """Begin with one keyframe.

        gray: (H, W) uint8. inverse_depth: the network's, (h, w). count: number of points to track.
        """
        self._camera, self._count = camera, count
        self._images, self._depths = [gray], [inverse_depth]
        self.poses = np.eye(4)[None]
        self._turns: list[Turn | None] = []  # a gyro's, from each pose to the next
        self.points = PointTable.empty(frames=1)
        self._find_points()

    def points_in_world(self) -> np.ndarray:
        """Positions (M, 3) of all points."""
        return self.points.in_world(self.poses)

    def errors_at_any_depth(self, pose: np.ndarray) -> np.ndarray:
        """Distances (M,) [pixels] from the points' pixels to where a camera at T_world_camera may see them.

        A point seen by two keyframes has one such place. A new point has a line of places, as long as the network's
        depth is uncertain: the points judge a motion, not the network.
        """
        points, camera = self.points, self._camera
        hosts = self.poses[points.host]
        directions = np.einsum("mij,mj->mi", hosts[:, :3, :3], np.column_stack([points.ray, np.ones(len(points))]))
        directions = directions @ pose[:3, :3]
        to_host = (hosts[:, :3, 3] - pose[:3, 3]) @ pose[:3, :3]
        reach = np.where(points.is_seen.sum(axis=1) > 1, 0.0, points.prior_sigma)
        ends = []
        for rho in (np.maximum(points.inverse_depth - reach, 0.0), points.inverse_depth + reach):
            place = directions + rho[:, None] * to_host
            ends.append(camera.pixels(np.where(place[:, 2:] > MIN_DEPTH, place, (0.0, 0.0, np.nan))))
        way, offset = ends[1] - ends[0], points.pixel - ends[0]
        share = np.einsum("mk,mk->m", offset, way) / np.maximum(np.einsum("mk,mk->m", way, way), 1e-9)
        error = np.linalg.norm(offset - np.clip(share, 0.0, 1.0)[:, None] * way, axis=1)
        return np.where(np.isfinite(error), error, np.inf)

    def align(self, gray: np.ndarray, pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (M, 2) of the points' patches in an image taken near T_world_camera, and their likeness (M,).

        The search begins at the points' pixels.
        """
        points = self.points
        warps, is_usable = self._warps(pose)
        patches = np.zeros((len(points), SIDE, SIDE), np.float32)
        for host in np.unique(points.host):
            own = points.host == host
            patches[own] = warped_patches(self._images[host], points.host_pixel[own], warps[own])
        pixels, likeness = align_patches(patches, gray, points.pixel)
        return pixels, np.where(is_usable, likeness, 0.0)

    def _warps(self, pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Warps (M, 2, 2), pixels of the host per pixel of the frame at `pose`, and whether they are usable (M,)."""
        points, camera = self.points, self._camera
        hosts = self.poses[points.host]
        R = np.einsum("ji,mjk->mik", pose[:3, :3], hosts[:, :3, :3])
        t = (hosts[:, :3, 3] - pose[:3, 3]) @ pose[:3, :3]

        def seen(right: float, down: float) -> np.ndarray:
            offset = np.array((right, down))
            ray = points.ray + offset / (camera.fx, camera.fy)
            rho = points.inverse_depth * np.maximum(1.0 + points.slope @ offset, 0.1)
            place = np.einsum("mij,mj->mi", R, np.column_stack([ray, np.ones(len(ray))])) + rho[:, None] * t
            return camera.pixels(place)

        middle = seen(0.0, 0.0)
        across, down = seen(WARP_REACH, 0.0) - middle, seen(0.0, WARP_REACH) - middle
        frame_host = np.stack([across, down], axis=-1) / WARP_REACH
        area = np.linalg.det(frame_host)
        is_usable = (area > 1.0 / MAX_WARP) & (area < MAX_WARP)
        frame_host[~is_usable] = np.eye(2)
        return np.linalg.inv(frame_host), is_usable

    def look(self, pose: np.ndarray, turn: Turn | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Add a new frame near T_world_camera, in which the points have their pixels, and adjust everything.

        turn: a gyro's since the last keyframe. Returns the largest error of each point's sightings (M,) [pixels], and
        the covariance (6, 6) of the new pose relative to the last keyframe, in its own axes. The new pose is the last
        of `poses`.
        """
        points = self.points
        points.add_frame(self._camera.rays(points.pixel))
        self.poses = np.concatenate([self.poses, pose[None]])
        self._turns.append(turn)
        is_sighting = points.is_seen.copy()
        is_sighting[np.arange(len(points)), points.host] = False
        point, frame = np.nonzero(is_sighting)
        adjusted = adjust(
            self.poses,
            DepthPoints(points.host, points.ray, points.prior, points.prior_sigma),
            points.inverse_depth,
            Observations(point, frame, points.rays[point, frame]),
            free=min(FREE + 1, len(self.poses) - 1),
            focal=self._camera.focal,
            iterations=ITERATIONS,
            turns=self._turns,
        )
        self.poses, points.inverse_depth = adjusted.poses, adjusted.inverse_depth
        worst = np.zeros(len(points))
        np.maximum.at(worst, point, adjusted.errors)
        covariance = _relative_covariance(adjusted.covariance, invert(self.poses[-1]) @ self.poses[-2])
        return worst, covariance * _variance_factor(adjusted.errors[frame == len(self.poses) - 1])

    def depth_scatter(self) -> float:
        """Robust standard deviation of the logarithm of the network's depth about the adjusted points' depth."""
        points = self.points
        return robust_spread(np.log(points.inverse_depth / points.prior))

    def depth_agreement(self) -> float:
        """Rank correlation of the network's depth and the points' parallax in the newest frame, NaN if unknown."""
        return depth_agreement(self.points, self.poses, self._camera.focal)

    def settle(self, gray: np.ndarray, inverse_depth: np.ndarray) -> bool:
        """Keep the newest frame as a keyframe if it shows enough that is new, else drop it; whether it was kept."""
        if not self._is_new():
            self.poses = self.poses[:-1]
            self._turns.pop()
            self.points.drop_last_frame()
            return False
        self._images.append(gray)
        self._depths.append(inverse_depth)
        if len(self.poses) > LENGTH:
            self._drop_oldest()
        self._find_points()
        return True

    def snapshot(self) -> WindowState:
        """The state now, for `back_to`."""
        return WindowState(replace(self.points), self.poses, len(self._turns))

    def back_to(self, state: WindowState) -> None:
        """Undo `align`, `look` and changes of the points since a snapshot; `settle` cannot be undone."""
        self.points, self.poses = state.points, state.poses
        del self._turns[state.turns :]

    def _is_new(self) -> bool:
        points = self.points
        shared = points.is_seen[:, -2]
        if shared.sum() < KEYFRAME_SHARE * self._count:
            return True
        R_before_now = self.poses[-2, :3, :3].T @ self.poses[-1, :3, :3]
        turned = np.column_stack([points.rays[shared, -1], np.ones(shared.sum())]) @ R_before_now.T
        moved = turned[:, :2] / np.maximum(turned[:, 2:], MIN_DEPTH) - points.rays[shared, -2]
        return bool(np.median(np.linalg.norm(moved, axis=1)) * self._camera.focal > KEYFRAME_PARALLAX)

    def _drop_oldest(self) -> None:
        """Drop the oldest keyframe. Its points move to the next keyframe that saw them, or are dropped."""
        points = self.points
        world = self.points_in_world()
        points.drop_first_frame()
        self.poses = self.poses[1:]
        del self._images[0], self._depths[0], self._turns[0]
        orphans = np.flatnonzero(points.host < 0)
        hosts = points.is_seen[orphans].argmax(axis=1)
        is_kept = np.ones(len(points), bool)
        is_kept[orphans] = points.is_seen[orphans].any(axis=1)
        poses = self.poses[hosts]
        depth = np.einsum("mi,mi->m", world[orphans] - poses[:, :3, 3], poses[:, :3, 2])
        is_kept[orphans] &= depth > MIN_DEPTH
        camera = self._camera
        points.host[orphans] = hosts
        points.ray[orphans] = points.rays[orphans, hosts]
        points.host_pixel[orphans] = points.ray[orphans] * (camera.fx, camera.fy) + (camera.cx, camera.cy)
        points.inverse_depth[orphans] = 1.0 / np.maximum(depth, MIN_DEPTH)
        for host in np.unique(hosts):
            own = orphans[hosts == host]
            prior = depth_prior(self._depths[host], points.host_pixel[own], camera)
            points.set_prior(own, prior)
            is_kept[own] &= np.isfinite(prior.sigma)
        points.keep(is_kept)

    def _find_points(self) -> None:
        """Add corners of the newest keyframe up to the wanted number of points."""
        found = find_corners(self._images[-1], self.points.pixel, self._count)
        prior = depth_prior(self._depths[-1], found, self._camera)
        found = found[prior.is_usable]
        self.points.add(found, self._camera.rays(found), prior.chosen(prior.is_usable))


def _variance_factor(errors: np.ndarray) -> float:
    """Ratio of the measured to the assumed variance of the sightings, from the median of their errors (K,) [pixels]."""
    sigma = np.median(errors) / MEDIAN_OF_RAYLEIGH
    return float(np.clip((sigma / PIXEL_NOISE) ** 2, *VARIANCE_LIMITS))


def _relative_covariance(covariance: np.ndarray, T_last_other: np.ndarray) -> np.ndarray:
    """Covariance (6, 6) of the last pose relative to the one before, given that of all free poses."""
    if len(covariance) == 6:  # the pose before is fixed
        return covariance
    J = np.hstack([-adjoint(T_last_other), np.eye(6)])
    return J @ covariance[-12:, -12:] @ J.T
