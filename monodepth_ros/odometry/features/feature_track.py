# SPDX-License-Identifier: Apache-2.0
"""An unbroken sequence of images through which points are tracked."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.geometry.motion import MotionError, invert
from monodepth_ros.odometry.checks.reference_image import ReferenceImage
from monodepth_ros.odometry.covariance import in_axes
from monodepth_ros.odometry.features.feature_motion import FeatureMotion, TrackedPoints
from monodepth_ros.odometry.features.gyro_comparison import GyroComparison
from monodepth_ros.odometry.features.keyframe_window import KeyframeWindow
from monodepth_ros.odometry.features.motion_model import MotionModel
from monodepth_ros.odometry.features.motion_noise import bridged_noise, still_noise, systematic_noise
from monodepth_ros.odometry.features.point_flow import flow_of_points
from monodepth_ros.odometry.features.robust_pose import refine_pose
from monodepth_ros.odometry.features.rough_pose import INLIER_ERROR, inlier_share, rough_pose
from monodepth_ros.odometry.features.tracking_camera import TrackingCamera
from monodepth_ros.odometry.gyro.gyro import Gyro, Turn
from monodepth_ros.odometry.gyro.rotation_prior import RotationPrior

# All lengths in pixels of the tracked image.
STILL_FLOW = 0.2  # median flow below which the camera stands
MAX_REFINEMENT = 2.5  # largest distance from a point's optical flow to where its patch is found
MIN_LIKENESS = 0.85
MAX_ERROR = 2.0  # error after the adjustment beyond which a point is dropped
MIN_INLIERS = 16
MIN_INLIERS_WITH_TURN = 8  # with a gyro, the points only have to determine the translation
MIN_INLIER_SHARE = 0.35
MAX_BRIDGE = 0.5  # time without a motion from images that a gyro can bridge [s]


class TrackLost(Exception):
    """An image that gives no motion; the text is the reason."""


@dataclass(frozen=True)
class TrackedImage:
    """One image: gray (H, W) uint8, the network's inverse depth (h, w) float32 of the same view, and its stamp."""

    gray: np.ndarray
    inverse_depth: np.ndarray
    stamp_ns: int


class FeatureTrack:
    """Tracks points through images and adjusts the last keyframes, until an image gives no motion.

    reference: the image in which the points have their pixels; it is replaced by each image in which the camera moved.
    """

    def __init__(
        self,
        window: KeyframeWindow,
        camera: TrackingCamera,
        reference: ReferenceImage,
        gyro: Gyro | None,
        stamp_ns: int,
    ):
        self._window, self._camera, self._reference = window, camera, reference
        self._gyro = GyroComparison(gyro)
        self._model = MotionModel(stamp_ns)
        self._keyframe_ns = stamp_ns
        self._covariance = np.zeros((6, 6))  # of the pose, relative to the last keyframe, in the camera's axes

    def update(self, image: TrackedImage) -> FeatureMotion:
        """The motion from the last image to this one; TrackLost if there is none and no gyro can bridge it."""
        model = self._model
        before = self._window.snapshot()
        turn = self._gyro.turn(model.frame_ns, image.stamp_ns)
        try:
            return self._follow(image, turn)
        except TrackLost as lost:
            reason = str(lost)
        except (np.linalg.LinAlgError, MotionError):
            reason = "the points determine no motion"
        if turn is None or image.stamp_ns - model.measured_ns > MAX_BRIDGE * 1e9:
            raise TrackLost(reason)
        self._window.back_to(before)
        return self._bridge(image, turn, reason)

    def _follow(self, image: TrackedImage, turn: Turn | None) -> FeatureMotion:
        """The motion that the image itself shows; TrackLost if it shows none.

        Optical flow gives a rough pose, the points' patches refine their pixels, and the bundle adjustment gives the
        pose.
        """
        points = self._window.points
        min_inliers = MIN_INLIERS if turn is None else MIN_INLIERS_WITH_TURN
        expected = self._model.pose @ self._model.expected_step(turn, image.stamp_ns)
        now, is_found = flow_of_points(self._window, self._camera, self._reference.image, image.gray, expected)
        if is_found.sum() < min_inliers:
            raise TrackLost(f"{is_found.sum()} points could be followed from the last image")
        flow = float(np.median(np.linalg.norm(now - points.pixel, axis=1)[is_found]))
        if self._reference.is_still(flow):
            return self._stand(image, now, is_found)
        before, now = points.pixel[is_found], now[is_found]
        points.keep(is_found)
        points.pixel = now
        prior = None if turn is None else RotationPrior.after(self._model.pose[:3, :3], turn)
        pose, error = rough_pose(self._window, self._camera, expected, prior)
        share = inlier_share(error)
        if share < MIN_INLIER_SHARE:
            raise TrackLost(f"only {100 * share:.0f} % of the points agree on a motion")
        self._find_patches(image.gray, pose)
        if len(points) < min_inliers:
            raise TrackLost(f"{len(points)} points still look as they did")
        measured = self._measure(image, pose, prior)
        share *= measured.share
        if len(points) < min_inliers or share < MIN_INLIER_SHARE:
            raise TrackLost(f"{len(points)} points ({100 * share:.0f} %) agree on a motion")
        motion = FeatureMotion(
            measured.step,
            measured.step_covariance + systematic_noise(measured.step, self._window.depth_scatter()),
            inliers=len(points),
            share=share,
            points=TrackedPoints(before, now, error < INLIER_ERROR, self._camera.size),
            ends_bridge=self._model.is_bridged,
            depth_agreement=self._window.depth_agreement(),
        )
        self._accept(image, measured)
        self._reference.replace(image.gray, flow)
        return motion

    def _stand(self, image: TrackedImage, now: np.ndarray, is_found: np.ndarray) -> FeatureMotion:
        """Standstill: no motion since the reference image; what was bridged since then is taken back."""
        points, before = self._window.points, self._window.points.pixel
        if self._reference.keep_while_still(image.gray):
            points.pixel = np.where(is_found[:, None], now, before)
        count = int(is_found.sum())
        tracked = TrackedPoints(before[is_found], now[is_found], np.ones(count, bool), self._camera.size)
        flow_angle = STILL_FLOW / self._camera.focal
        self._gyro.observe_standstill(self._model.measured_ns, image.stamp_ns, flow_angle)
        was_bridged = self._model.is_bridged
        return FeatureMotion(
            self._model.stand(image.stamp_ns),
            still_noise(flow_angle, self._median_depth),
            is_still=True,
            inliers=count,
            share=1.0,
            points=tracked,
            ends_bridge=was_bridged,
        )

    def _find_patches(self, gray: np.ndarray, pose: np.ndarray) -> None:
        """Refine the points' pixels by their patches, and drop points that no longer look alike."""
        points = self._window.points
        pixels, likeness = self._window.align(gray, pose)
        moved = np.linalg.norm(pixels - points.pixel, axis=1)
        points.pixel = pixels.astype(np.float32)
        points.keep((likeness > MIN_LIKENESS) & (moved < MAX_REFINEMENT))

    def _measure(self, image: TrackedImage, start: np.ndarray, prior: RotationPrior | None) -> "_Measured":
        """Adjust the window with this image, near the pose `start`, and drop points that do not fit."""
        window, points, camera = self._window, self._window.points, self._camera
        keyframe = window.poses[-1]
        world, rays = window.points_in_world(), camera.rays(points.pixel)
        start, _ = refine_pose(start, world, rays, camera.focal, prior)
        rotation = self._gyro.rotation_since_keyframe(start, keyframe, world, rays, camera.focal)
        error, covariance = window.look(start, self._gyro.turn(self._keyframe_ns, image.stamp_ns))
        is_good = error < MAX_ERROR
        points.keep(is_good)
        pose = window.poses[-1]
        # The adjustment has also moved the keyframe; the previous pose moves with it.
        step = invert(window.poses[-2] @ invert(keyframe) @ self._model.pose) @ pose
        step_covariance = in_axes(covariance, step[:3, :3]) + self._covariance
        return _Measured(pose, step, covariance, step_covariance, rotation, float(is_good.mean()))

    def _accept(self, image: TrackedImage, measured: "_Measured") -> None:
        """Take over a measured pose, and make the image a keyframe if it shows enough that is new."""
        self._gyro.observe_step(self._model.frame_ns, image.stamp_ns, measured.rotation)
        self._covariance = measured.covariance
        if self._window.settle(image.gray, image.inverse_depth):
            self._covariance = np.zeros((6, 6))
            self._keyframe_ns = image.stamp_ns
            self._gyro.begin_keyframe()
        self._model.measure(measured.pose, measured.step, image.stamp_ns)

    def _bridge(self, image: TrackedImage, turn: Turn, reason: str) -> FeatureMotion:
        """Turn as the gyro measures and keep the speed; the next good image is compared with the last good one."""
        step = self._model.expected_step(turn, image.stamp_ns)
        noise = bridged_noise(step, turn, self._median_depth)
        self._covariance = in_axes(self._covariance, step[:3, :3].T) + noise
        self._gyro.lose_step()
        self._model.bridge(step, image.stamp_ns)
        return FeatureMotion(step, in_axes(noise, step[:3, :3]), reason, is_bridged=True)

    @property
    def _median_depth(self) -> float:
        return float(1.0 / np.median(self._window.points.inverse_depth))


@dataclass(frozen=True)
class _Measured:
    """A measured pose.

    pose: (4, 4) T_world_camera. step: (4, 4) from the last pose to it. covariance: (6, 6) of the pose relative to the
    last keyframe, in its own axes. step_covariance: (6, 6) in the axes of the step's start, from pixel errors alone.
    rotation: (3, 3) since the last keyframe by the points alone, if known. share: of the points that fit.
    """

    pose: np.ndarray
    step: np.ndarray
    covariance: np.ndarray
    step_covariance: np.ndarray
    rotation: np.ndarray | None
    share: float
