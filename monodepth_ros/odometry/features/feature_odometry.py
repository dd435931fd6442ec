# SPDX-License-Identifier: Apache-2.0
"""The camera's motion from points followed through its images, and the network's depth."""

from dataclasses import dataclass

import cv2
import numpy as np

from monodepth_ros.geometry.motion import MotionError, invert, log_se3, make_transform, rotation_to_axis_angle
from monodepth_ros.odometry.covariance import step_covariance
from monodepth_ros.odometry.features.depth_prior import TrackingCamera
from monodepth_ros.odometry.features.keyframe_window import KeyframeWindow
from monodepth_ros.odometry.features.robust_pose import (
    motion_by_epipolar_geometry,
    pose_by_ransac,
    refine_pose,
)
from monodepth_ros.odometry.gyro.gyro import Gyro, Turn
from monodepth_ros.odometry.gyro.rotation_prior import RotationPrior

# All lengths in pixels of the tracked image.
FLOW_WINDOW = (17, 17)
FLOW_LEVELS = 3
FLOW_CRITERIA = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 15, 0.03)
MARGIN = 4  # a point so near the border is let go
MAX_REFINEMENT = 2.5  # the patch may lie so far from where optical flow saw the point
MIN_LIKENESS = 0.85
INLIER_ERROR = 3.0  # of optical flow, against the pose
MAX_ERROR = 2.0  # after the adjustment; points beyond are let go
STILL_FLOW = 0.2  # median, below which the camera stands
STILL_IMAGES = 50  # after so many the newest takes the place of the one to compare with: the light changes
FROZEN_FLOW = 2.0  # an unchanged image after this much motion is not a stop, but a frozen stream
MIN_CORNERS = 40
MIN_INLIERS = 16
MIN_INLIER_SHARE = 0.35
# With a gyro only the translation is left to be told by points.
MIN_INLIERS_WITH_TURN = 8
# Without any that agree the motion goes on as it was, turned as the gyro says, for so long [s]; so uncertain that is, as
# a share of its length and of the points' median depth.
MAX_BRIDGE = 0.5
BRIDGE_NOISE, BRIDGE_DEPTH_NOISE = 0.5, 0.005
DOUBTFUL_SHARE = 0.6  # with fewer inliers other ways to the pose are tried
# The adjustment's covariance is that of independent errors of pixels. To it is added what calibration and depth do to a whole
# window alike (docs/odometry.md has what that gives). Calibration: shares of the step's length, in every direction, and angle.
TRANSLATION_NOISE, ROTATION_NOISE = 0.005, 0.01
# Depth makes the whole step too long or too short, by this share of how far the network's depth scatters about the points'
# own: its errors are alike within parts of the image, as if each image told about 25 depths.
DEPTH_NOISE = 0.2
# Of a step's rotation by the points of one image alone: [rad], and a share of its angle.
SEEN_TURN_NOISE, SEEN_TURN_SHARE = 1e-3, 0.02


@dataclass(frozen=True)
class FeatureMotion:
    """What one image told.

    T_previous_current: (4, 4), lengths in the depth's units, or None where it is not known; reason: why not.
    covariance: (6, 6) of it, see covariance.py; is_still: nothing moved. inliers: points that agree; share: of those
    that were followed. before, now: (N, 2) pixels of the followed points, in images of
    `size` (width, height); agrees: (N,) bool. is_bridged: the image told nothing (reason: why), the gyro alone how the
    camera turned. ends_bridge: a measured motion, but from where the camera was only guessed to be.
    """

    T_previous_current: np.ndarray | None
    covariance: np.ndarray | None = None
    reason: str = ""
    is_still: bool = False
    inliers: int = 0
    share: float = 0.0
    before: np.ndarray | None = None
    now: np.ndarray | None = None
    agrees: np.ndarray | None = None
    size: tuple[int, int] = (0, 0)
    is_bridged: bool = False
    ends_bridge: bool = False


class FeatureOdometry:
    """Follows points from frame to frame and adjusts the last keyframes; one camera, frames in their order.

    A motion leads from where the camera is now known to have been at the last image, which is better than what was known
    then, to where it is. Whenever it is lost it begins anew with the image it has, and says nothing of the motion in
    between. With a gyro a short time without a good image is no loss: see MAX_BRIDGE.
    """

    def __init__(self, camera: TrackingCamera, count: int, gyro: Gyro | None = None):
        """count: points to follow."""
        self._camera, self._count, self._gyro = camera, count, gyro
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._window: KeyframeWindow | None = None
        self._image: np.ndarray | None = None
        self._flow = 0.0

    def update(self, gray: np.ndarray, inverse_depth: np.ndarray, stamp_ns: int = 0) -> FeatureMotion:
        """The motion from the last image to this one.

        gray: (H, W) uint8 of the camera's size. inverse_depth: (h, w) float32 of the same view, 1 / network unit, NaN
        where it is not known. stamp_ns: when it was taken, for the gyro.
        """
        if self._image is not None and self._flow > FROZEN_FLOW and np.array_equal(gray, self._image):
            self._window = None
            return FeatureMotion(None, reason="the image is the same as the one before: the stream is frozen")
        if self._window is None:
            return self._begin(gray, inverse_depth, stamp_ns, "no image before this one to compare with")
        before = self._window.snapshot()
        turn = self._turn(self._frame_ns, stamp_ns)
        try:
            motion = self._follow(gray, inverse_depth, stamp_ns, turn)
        except (np.linalg.LinAlgError, MotionError):
            motion = FeatureMotion(None, reason="the points determine no motion")
        if motion.T_previous_current is None:
            if turn is None or stamp_ns - self._image_ns > MAX_BRIDGE * 1e9:
                return self._begin(gray, inverse_depth, stamp_ns, motion.reason)
            self._window.back_to(before)
            motion = self._bridge(turn, stamp_ns, motion.reason)
        self._frame_ns = stamp_ns
        return motion

    def _turn(self, start_ns: int, stop_ns: int) -> Turn | None:
        return None if self._gyro is None else self._gyro.turn(start_ns, stop_ns)

    def _begin(self, gray: np.ndarray, inverse_depth: np.ndarray, stamp_ns: int, reason: str) -> FeatureMotion:
        window = KeyframeWindow(self._camera, self._count, gray, inverse_depth)
        corners = len(window.points)
        if corners < MIN_CORNERS:
            self.reset()
            return FeatureMotion(None, reason=f"{corners} corners in the image: too dark, blurred or bare")
        self._window, self._image, self._flow, self._still_images = window, gray, 0.0, 0
        # Where the camera is, and where it was when an image last told.
        self._pose = self._image_pose = np.eye(4)
        self._velocity, self._covariance = np.eye(4), np.zeros((6, 6))
        self._frame_ns = self._image_ns = self._keyframe_ns = stamp_ns
        self._step_ns = 0
        # Since the last keyframe, by the points alone.
        self._seen_turn: np.ndarray | None = np.eye(3)
        return FeatureMotion(None, reason=reason)

    def _bridge(self, turn: Turn, stamp_ns: int, reason: str) -> FeatureMotion:
        """Go on as before, but turn as the gyro says; the next good image is compared with the last one that was."""
        step = self._expected_step(turn, stamp_ns)
        depth = 1.0 / np.median(self._window.points.inverse_depth)
        sigma = BRIDGE_NOISE * np.linalg.norm(step[:3, 3]) + BRIDGE_DEPTH_NOISE * depth
        covariance = np.diag([sigma**2] * 3 + [0.0] * 3)
        covariance[3:, 3:] = turn.covariance
        self._covariance = _in_axes(self._covariance, step[:3, :3].T) + covariance
        self._pose, self._seen_turn = self._pose @ step, None
        return FeatureMotion(step, _in_axes(covariance, step[:3, :3]), reason, is_bridged=True)

    def _expected_step(self, turn: Turn | None, stamp_ns: int) -> np.ndarray:
        if turn is None:
            return self._velocity
        share = (stamp_ns - self._frame_ns) / self._step_ns if self._step_ns > 0 else 1.0
        return make_transform(turn.R_start_stop, share * self._velocity[:3, 3])

    def _follow(self, gray: np.ndarray, inverse_depth: np.ndarray, stamp_ns: int, turn: Turn | None) -> FeatureMotion:
        window, points, camera = self._window, self._window.points, self._camera
        camera_size = camera.width, camera.height
        min_inliers = MIN_INLIERS if turn is None else MIN_INLIERS_WITH_TURN
        expected = self._pose @ self._expected_step(turn, stamp_ns)
        before = points.pixel
        now, is_found = self._flow_of_points(gray, expected)
        if is_found.sum() < min_inliers:
            return FeatureMotion(None, reason=f"{is_found.sum()} points could be followed from the last image")
        flow = float(np.median(np.linalg.norm(now - before, axis=1)[is_found]))
        if flow < STILL_FLOW:
            # The image to compare with stays for a while, so that a slow motion is seen once it has become one.
            self._still_images += 1
            if self._still_images == STILL_IMAGES:
                self._image, self._still_images = gray, 0
                points.pixel = np.where(is_found[:, None], now, before)
            pairs = before[is_found], now[is_found], np.ones(is_found.sum(), bool), camera_size
            # What was bridged is taken back.
            is_bridged = self._pose is not self._image_pose
            step = invert(self._pose) @ self._image_pose if is_bridged else np.eye(4)
            if self._gyro is not None:
                self._gyro.observe(self._image_ns, stamp_ns, np.eye(3), STILL_FLOW / camera.focal)
            self._pose, self._velocity, self._flow = self._image_pose, np.eye(4), 0.0
            self._image_ns = stamp_ns
            still = self._still_covariance()
            return FeatureMotion(step, still, "", True, int(is_found.sum()), 1.0, *pairs, ends_bridge=is_bridged)
        self._still_images = 0
        points.keep(is_found)
        before, points.pixel = before[is_found], now[is_found]
        prior = None if turn is None else RotationPrior.after(self._pose[:3, :3], turn)
        pose, error = self._rough_pose(expected, prior)
        share = float(np.mean(error < INLIER_ERROR))
        pairs = before, points.pixel, error < INLIER_ERROR, camera_size
        if share < MIN_INLIER_SHARE:
            return FeatureMotion(None, reason=f"only {100 * share:.0f} % of the points agree on a motion")

        pixels, likeness = window.align(gray, pose)
        moved = np.linalg.norm(pixels - points.pixel, axis=1)
        is_same = (likeness > MIN_LIKENESS) & (moved < MAX_REFINEMENT)
        points.pixel = pixels.astype(np.float32)
        points.keep(is_same)
        if len(points) < min_inliers:
            return FeatureMotion(None, reason=f"{len(points)} points still look as they did")
        keyframe = window.poses[-1]
        world, rays = window.points_in_world(), camera.rays(points.pixel)
        pose, _ = refine_pose(pose, world, rays, camera.focal, prior)
        seen_turn = self._seen_since_keyframe(pose, world, rays)
        error, covariance = window.look(pose, self._turn(self._keyframe_ns, stamp_ns))
        is_good = error < MAX_ERROR
        share *= float(is_good.mean())
        points.keep(is_good)
        if len(points) < min_inliers or share < MIN_INLIER_SHARE:
            return FeatureMotion(None, reason=f"{len(points)} points ({100 * share:.0f} %) agree on a motion")
        pose = window.poses[-1]
        # Where the camera was is known better now, too: as well as the keyframe that it was seen from.
        step = invert(window.poses[-2] @ invert(keyframe) @ self._pose) @ pose
        total = _in_axes(covariance, step[:3, :3]) + self._covariance
        total += step_covariance(log_se3(step), TRANSLATION_NOISE, 0.0, ROTATION_NOISE, 0.0)
        total[:3, :3] += (DEPTH_NOISE * window.depth_scatter()) ** 2 * np.outer(step[:3, 3], step[:3, 3])
        if self._seen_turn is not None and seen_turn is not None:
            seen_step = self._seen_turn.T @ seen_turn
            sigma = np.hypot(SEEN_TURN_NOISE, SEEN_TURN_SHARE * np.linalg.norm(rotation_to_axis_angle(seen_step)))
            self._gyro.observe(self._frame_ns, stamp_ns, seen_step, sigma)
        became_keyframe = window.settle(gray, inverse_depth)
        self._covariance = np.zeros((6, 6)) if became_keyframe else covariance
        self._seen_turn = np.eye(3) if became_keyframe else seen_turn
        self._keyframe_ns = stamp_ns if became_keyframe else self._keyframe_ns
        was_bridged = self._pose is not self._image_pose
        if not was_bridged:
            self._velocity, self._step_ns = step, stamp_ns - self._frame_ns
        else:  # the step corrects what was guessed and is no velocity
            self._velocity, self._step_ns = invert(self._image_pose) @ pose, stamp_ns - self._image_ns
        self._pose = self._image_pose = pose
        self._image, self._flow, self._image_ns = gray, flow, stamp_ns
        return FeatureMotion(step, total, "", False, len(points), share, *pairs, ends_bridge=was_bridged)

    def _seen_since_keyframe(self, pose: np.ndarray, world: np.ndarray, rays: np.ndarray) -> np.ndarray | None:
        """Rotation (3, 3) since the last keyframe by the points alone: what a gyro is to be compared with. None without
        a gyro, or with points that do not tell it."""
        if self._gyro is None or len(world) < MIN_INLIERS:
            return None
        alone, _ = refine_pose(pose, world, rays, self._camera.focal)
        return self._window.poses[-1, :3, :3].T @ alone[:3, :3]

    def _flow_of_points(self, gray: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the points are now (M, 2) by pyramidal optical flow, and whether that is known (M,)."""
        points, camera = self._window.points, self._camera
        places = (self._window.points_in_world() - expected[:3, 3]) @ expected[:3, :3]
        guess = camera.pixels(places)
        is_inside = (places[:, 2] > 0) & _inside(guess, camera, 0)
        guess = np.where(is_inside[:, None], guess, points.pixel).astype(np.float32)
        now, status, _ = cv2.calcOpticalFlowPyrLK(
            self._image,
            gray,
            points.pixel,
            guess,
            winSize=FLOW_WINDOW,
            maxLevel=FLOW_LEVELS,
            criteria=FLOW_CRITERIA,
            flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        )
        return now, (status.reshape(-1) > 0) & _inside(now, camera, MARGIN)

    def _rough_pose(self, expected: np.ndarray, prior: RotationPrior | None) -> tuple[np.ndarray, np.ndarray]:
        """T_world_camera by what optical flow says, and each point's error (M,) in pixels, whatever its depth may be: near
        the expected pose, or where most points speak against that, by RANSAC over their depths, or over the epipolar
        geometry."""
        window, points, focal = self._window, self._window.points, self._camera.focal
        world, rays = window.points_in_world(), self._camera.rays(points.pixel)

        def refined(start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            pose, _ = refine_pose(start, world, rays, focal, prior)
            return pose, window.errors_at_any_depth(pose)

        best = refined(expected)
        if np.mean(best[1] < INLIER_ERROR) > DOUBTFUL_SHARE:
            return best
        others = [pose_by_ransac(world, rays, focal)]
        seen = points.is_seen[:, -1]
        place = (world[seen] - window.poses[-1, :3, 3]) @ window.poses[-1, :3, :3]
        motion = motion_by_epipolar_geometry(points.rays[seen, -1], rays[seen], 1.0 / place[:, 2], focal)
        others.append(None if motion is None else window.poses[-1] @ motion)
        for pose in others:
            if pose is not None:
                other = refined(pose)
                if np.mean(other[1] < INLIER_ERROR) > np.mean(best[1] < INLIER_ERROR):
                    best = other
        return best

    def _still_covariance(self) -> np.ndarray:
        """Of standing: what a motion below the threshold could have been, by the points' depths."""
        angle = STILL_FLOW / self._camera.focal
        depth = 1.0 / np.median(self._window.points.inverse_depth)
        return np.diag([(0.1 * angle * depth) ** 2] * 3 + [(0.1 * angle) ** 2] * 3)


def _inside(pixels: np.ndarray, camera: TrackingCamera, margin: float) -> np.ndarray:
    highest = np.array((camera.width, camera.height)) - 1 - margin
    return ((pixels >= margin) & (pixels <= highest)).all(axis=1)


def _in_axes(covariance: np.ndarray, R_target_source: np.ndarray) -> np.ndarray:
    turn = np.zeros((6, 6))
    turn[:3, :3] = turn[3:, 3:] = R_target_source
    return turn @ covariance @ turn.T
