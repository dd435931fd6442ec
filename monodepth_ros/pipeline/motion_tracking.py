# SPDX-License-Identifier: Apache-2.0
"""The trajectory of one camera: motion from features or the pose network, with its scale and covariance."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.motion import invert, power, rotation_to_axis_angle
from monodepth_ros.inference.engine import Engine
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.odometry.checks import image_check
from monodepth_ros.odometry.checks.photometric_check import motion_explains_images
from monodepth_ros.odometry.config import OdometryConfig
from monodepth_ros.odometry.features.feature_motion import FeatureMotion
from monodepth_ros.odometry.features.feature_odometry import FeatureOdometry
from monodepth_ros.odometry.gyro.gyro import Gyro, Turn
from monodepth_ros.odometry.scale.source import ScaleEstimate, ScaleSource, SeenMotion
from monodepth_ros.odometry.visual_odometry import OdometryEstimate, TrackingState, VisualOdometry
from monodepth_ros.pipeline.frame import PreparedFrame
from monodepth_ros.pipeline.frame_history import FrameHistory
from monodepth_ros.pipeline.network_view import NetworkView
from monodepth_ros.pipeline.tracking_view import WIDTH, TrackingView


@dataclass(frozen=True)
class _Motion:
    """T_previous_current (4, 4) and its covariance (6, 6), in the depth's units; None if unknown, for a reason.

    turn: the gyro's rotation, if the motion does not contain it yet. is_bridged: only the rotation is measured and the
    rest is predicted, for that reason. is_measured: both ends of the motion are poses seen by the camera.
    """

    T_previous_current: np.ndarray | None
    covariance: np.ndarray | None = None
    reason: str = "no motion for this frame"
    turn: Turn | None = None
    is_bridged: bool = False
    is_measured: bool = True


def gives_motion(config: OdometryConfig, has_pose: bool) -> bool:
    """Whether frames yield motion with these settings; has_pose: the checkpoint has a pose network."""
    return config.enabled and (has_pose or config.source != "network")


def _imu(config: OdometryConfig) -> tuple[str, float, float, bool]:
    """The settings of the gyro, the topic first."""
    return config.imu_topic, config.imu_noise, config.imu_time_offset, config.imu_estimate_offset


class MotionTracking:
    """The motion and trajectory of one camera, with the state between its frames.

    tracked: points and motion of the last frame tracked by features, or None. gyro: with odometry.imu_topic; add its
    rates, in the camera's axes, before the frame of their time is tracked.
    """

    def __init__(self, engine: Engine, header: CheckpointHeader):
        self._engine = engine
        self._header = header
        self._history: FrameHistory = FrameHistory(header.pose_interval)
        self._odometry = VisualOdometry()
        self._config = OdometryConfig()
        self.gyro: Gyro | None = None
        self._view: NetworkView | None = None
        self.tracked: FeatureMotion | None = None
        self.forget()

    def configure(self, config: OdometryConfig) -> None:
        """Take over settings from the next frame on."""
        if (config.source, config.max_points) != (self._config.source, self._config.max_points):
            self.forget()
        if _imu(config) != _imu(self._config):
            self.gyro = Gyro(config) if config.imu_topic else None
            self.forget()
        self._config = self._odometry.config = config

    @property
    def is_possible(self) -> bool:
        """Whether frames yield odometry."""
        return gives_motion(self._config, self._engine.has_pose)

    @property
    def needs_depth(self) -> bool:
        """Whether the motion of a frame needs its depth."""
        return self._config.source != "network"

    @property
    def uses_network(self) -> bool:
        """Whether the pose network may be asked for a motion."""
        return self._engine.has_pose and self._config.source != "features"

    @property
    def description(self) -> str:
        """The source of the motion, in words."""
        network = "pose network"
        gyro = "" if self.gyro is None else f", with the gyro of {self._config.imu_topic}"
        if self._config.source == "network":
            return network + gyro
        has_both = self._config.source == "auto" and self._engine.has_pose
        return (f"features, {network} where they fail" if has_both else "features") + gyro

    def reset(self) -> None:
        """Begin a new trajectory with the next frame."""
        self._odometry.reset()
        self.forget()

    def recover(self, has_failed_again: bool) -> None:
        """Go on with the next frame after an error; if this was not enough the last time, in a new trajectory."""
        self.forget()
        if has_failed_again:
            self._odometry.reset()
            if self.gyro is not None:  # the same object: its input holds it
                vars(self.gyro).update(vars(Gyro(self._config)))

    def forget(self) -> None:
        """Pair the next frame with none of the earlier ones."""
        self._history.clear()
        self._feature_odometry: FeatureOdometry | None = None
        self._check, self._checked_ns = image_check.ImageCheck(), 0
        self._tracking_view: TrackingView | None = None
        self._last_gray: np.ndarray | None = None
        self.tracked = None

    def expect(self, prepared: PreparedFrame) -> None:
        """Announce to the engine, before the depth network runs, the pair whose motion will be asked for."""
        stamp_ns = prepared.frame.stamp_ns
        # With features, the pose network runs only if they fail.
        if (
            self._config.source != "network"
            or prepared.result.view is not self._view
            or self._odometry.breaks(stamp_ns)
        ):
            return
        partner = self._history.partner(stamp_ns)
        if partner is not None:
            self._engine.expect_motion(partner.image, prepared.motion_image)

    def track(self, prepared: PreparedFrame, scale: ScaleSource) -> OdometryEstimate | None:
        """The estimate at a frame; None for a frame without a stamp, whose motion has no duration. After an error call
        `recover`.

        Features need the frame's depth. The scale observes the motion and multiplies it.
        """
        stamp_ns = prepared.frame.stamp_ns
        if stamp_ns == 0:
            return None
        if prepared.result.view is not self._view:
            # A pair needs one view: the pixels of two views do not correspond.
            self._view = prepared.result.view
            self.forget()
        if self._odometry.breaks(stamp_ns):
            self.forget()
        previous = self._history.newest
        motion = self._motion(prepared)
        estimate = scale.estimate()
        T_previous_current, covariance = motion.T_previous_current, motion.covariance
        if previous is not None and T_previous_current is not None:
            if motion.is_measured:
                scale.observe_motion(SeenMotion(previous.stamp_ns, stamp_ns, T_previous_current.copy()))
            if estimate.is_known:
                T_previous_current[:3, 3] *= estimate.factor
                if covariance is not None:
                    units = np.repeat((estimate.factor, 1.0), 3)
                    covariance = covariance * np.outer(units, units)
            else:
                T_previous_current = None
        found = self._odometry.update(
            stamp_ns,
            T_previous_current,
            estimate.is_metric,
            covariance=covariance,
            scale_uncertainty=self._scale_uncertainty(estimate),
            reason=motion.reason,
            turn=motion.turn,
        )
        if not np.isfinite(found.T_start_camera).all():
            raise MonodepthError("the pose is not a number any more")
        found = replace(found, is_metric=estimate.is_metric)
        if motion.is_bridged and found.state is TrackingState.TRACKING:
            return replace(found, note=f"{motion.reason}: turned by the gyro, at the speed before")
        return found

    def _scale_uncertainty(self, scale: ScaleEstimate) -> float:
        """The part of the odometry's uncertainty that its scale brings; none for network units, which are exact."""
        is_included = self._config.scale_in_covariance and scale.is_metric and np.isfinite(scale.uncertainty)
        return scale.uncertainty if is_included else 0.0

    def _motion(self, prepared: PreparedFrame) -> _Motion:
        if self._config.source == "network":
            return self._by_network_alone(prepared, self._tracked_image(prepared))
        has_fallback = self._config.source == "auto" and self._engine.has_pose
        motion = self._by_features(prepared)
        if motion.T_previous_current is None and has_fallback:
            motion = self._by_network_if_plausible(prepared, instead=motion)
        if has_fallback:
            self._last_gray = _gray(prepared)
        self._history.add(prepared.frame.stamp_ns, prepared.motion_image)
        return motion

    def _by_features(self, prepared: PreparedFrame) -> _Motion:
        gray, camera = self._tracked_image(prepared), self._tracking_view_of(prepared).camera
        if self._feature_odometry is None:
            self._feature_odometry = FeatureOdometry(camera, self._config.max_points, self.gyro)
        assert prepared.seen is not None  # motion_needs_depth asked for it
        found = self._feature_odometry.update(gray, prepared.seen.inverse_depth, prepared.frame.stamp_ns)
        self.tracked = found
        is_measured = not (found.is_bridged or found.ends_bridge)
        T = None if found.T_previous_current is None else found.T_previous_current.copy()
        return _Motion(T, found.covariance, found.reason, None, found.is_bridged, is_measured)

    def _tracked_image(self, prepared: PreparedFrame) -> np.ndarray:
        """(H, W) uint8, at the size of the tracking view, which does not depend on the network's input size."""
        assert prepared.rgb is not None  # wants_motion asked for it
        return self._tracking_view_of(prepared).render(prepared.frame.pixels, prepared.rgb)

    def _tracking_view_of(self, prepared: PreparedFrame) -> TrackingView:
        if self._tracking_view is None:
            width = image_check.WIDTH if self._config.source == "network" else WIDTH
            self._tracking_view = TrackingView(prepared.result.view, self._header.filter, width)
        return self._tracking_view

    def _by_network_alone(self, prepared: PreparedFrame, gray: np.ndarray) -> _Motion:
        """The network's motion, unless the images (gray: (H, W) uint8) show a standstill or cannot be compared."""
        stamp_ns = prepared.frame.stamp_ns
        change, before_ns = self._check.update(gray), self._checked_ns
        self._checked_ns = stamp_ns
        if change.reason:
            # No later image may be paired with one before this.
            self._history.clear()
            motion = _Motion(None, reason=change.reason)
        elif change.is_still:
            if self.gyro is not None:
                still_angle = image_check.STILL_FLOW / self._tracking_view_of(prepared).camera.fx
                self.gyro.observe(before_ns, stamp_ns, np.eye(3), still_angle)
            motion = _Motion(np.eye(4))
        else:
            motion = self._by_network(prepared)
        if change.is_kept:
            # At a standstill the next pair begins with the first image of the standstill.
            self._history.add(stamp_ns, prepared.motion_image)
        return motion

    def _by_network(self, prepared: PreparedFrame) -> _Motion:
        stamp_ns = prepared.frame.stamp_ns
        partner, previous = self._history.partner(stamp_ns), self._history.newest
        if partner is None or previous is None:
            return _Motion(None)
        T_later_earlier = self._engine.motion(partner.image, prepared.motion_image)
        if not np.isfinite(T_later_earlier).all():
            return _Motion(None, reason="the pose network gave a motion that is not finite")
        T_earlier_later = invert(prepared.resampling.motion_view.correct_motion(T_later_earlier))
        # With a camera faster than the network's training the pair begins before the last frame: assume constant
        # velocity, and take the share of the motion that this step has of its time.
        share = (stamp_ns - previous.stamp_ns) / (stamp_ns - partner.stamp_ns)
        T_previous_current = T_earlier_later if share == 1.0 else power(T_earlier_later, share)
        return _Motion(T_previous_current, turn=self._turn(previous.stamp_ns, stamp_ns, T_previous_current[:3, :3]))

    def _turn(self, start_ns: int, stop_ns: int, R_network: np.ndarray) -> Turn | None:
        """The gyro's rotation, after the gyro has observed the network's."""
        if self.gyro is None:
            return None
        config = self._config
        angle = np.linalg.norm(rotation_to_axis_angle(R_network))
        sigma = np.hypot(config.rotation_noise * angle, config.rotation_noise_floor)
        # A network repeats its errors, so its rotation must not teach the gyro's bias.
        self.gyro.observe(start_ns, stop_ns, R_network, sigma, has_independent_errors=False)
        return self.gyro.turn(start_ns, stop_ns)

    def _by_network_if_plausible(self, prepared: PreparedFrame, instead: _Motion) -> _Motion:
        """The network's motion if it explains the images; else `instead`, with the reason of the features."""
        motion = self._by_network(prepared)
        T_previous_current = motion.T_previous_current
        if T_previous_current is None or self._last_gray is None:
            return instead
        assert prepared.seen is not None  # motion_needs_depth asked for it
        camera = prepared.result.view.camera
        explains = motion_explains_images(
            self._last_gray,
            _gray(prepared),
            np.nan_to_num(prepared.seen.inverse_depth),
            camera.ray_grid(),
            camera.K,
            T_previous_current,
        )
        return motion if explains else instead


def _gray(prepared: PreparedFrame) -> np.ndarray:
    assert prepared.rgb is not None  # wants_motion asked for it
    return cv2.cvtColor(prepared.rgb, cv2.COLOR_RGB2GRAY)
