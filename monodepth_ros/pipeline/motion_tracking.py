# SPDX-License-Identifier: Apache-2.0
"""From frames to a trajectory: the motion by features or by the pose network, its scale, its covariance."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from monodepth_ros.geometry.motion import invert, power, rotation_to_axis_angle
from monodepth_ros.inference.engine import Engine
from monodepth_ros.networks.checkpoint import CheckpointHeader
from monodepth_ros.odometry.checks import image_check
from monodepth_ros.odometry.checks.photometric_check import motion_explains_images
from monodepth_ros.odometry.config import OdometryConfig
from monodepth_ros.odometry.features.feature_motion import FeatureMotion
from monodepth_ros.odometry.features.feature_odometry import FeatureOdometry
from monodepth_ros.odometry.gyro.gyro import Gyro, Turn
from monodepth_ros.odometry.scale.source import ScaleSource, SeenMotion
from monodepth_ros.odometry.visual_odometry import OdometryEstimate, TrackingState, VisualOdometry
from monodepth_ros.pipeline.frame import PreparedFrame
from monodepth_ros.pipeline.frame_history import FrameHistory
from monodepth_ros.pipeline.network_view import NetworkView
from monodepth_ros.pipeline.tracking_view import WIDTH, TrackingView


@dataclass(frozen=True)
class _Motion:
    """T_previous_current (4, 4) and its covariance (6, 6), in the depth's units, or None where not known, and why.

    turn: of a gyro, where it is not in the motion yet. is_bridged: all but the rotation is guessed, for that reason;
    is_measured: from one place where the camera was seen to be to another.
    """

    T_previous_current: np.ndarray | None
    covariance: np.ndarray | None = None
    reason: str = "no motion for this frame"
    turn: Turn | None = None
    is_bridged: bool = False
    is_measured: bool = True


def gives_motion(config: OdometryConfig, has_pose: bool) -> bool:
    """Whether frames yield motions with these settings, given whether the checkpoint has a pose network."""
    return config.enabled and (has_pose or config.source != "network")


def _imu(config: OdometryConfig) -> tuple[str, float, float, bool]:
    """What is set about the gyro, the topic first."""
    return config.imu_topic, config.imu_noise, config.imu_time_offset, config.imu_estimate_offset


class MotionTracking:
    """One camera's trajectory; keeps what joins its frames. features: what the last frame's told, or None.

    gyro: with odometry.imu_topic, to be filled with rates in the camera's axes before the frame of their time is tracked.
    """

    def __init__(self, engine: Engine, header: CheckpointHeader):
        self._engine = engine
        self._header = header
        self._history: FrameHistory = FrameHistory(header.pose_interval)
        self._odometry = VisualOdometry()
        self._config = OdometryConfig()
        self.gyro: Gyro | None = None
        self._view: NetworkView | None = None
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
        """Whether a frame's motion can only be had with its depth."""
        return self._config.source != "network"

    @property
    def description(self) -> str:
        """What the motion comes from, in words."""
        network = "pose network"
        gyro = "" if self.gyro is None else f", with the gyro of {self._config.imu_topic}"
        if self._config.source == "network":
            return network + gyro
        has_both = self._config.source == "auto" and self._engine.has_pose
        return (f"features, {network} where they fail" if has_both else "features") + gyro

    def reset(self) -> None:
        """The next frame begins a new trajectory."""
        self._odometry.reset()
        self.forget()

    def forget(self) -> None:
        """The next frame makes no pair with those before."""
        self._history.clear()
        self._features: FeatureOdometry | None = None
        self._check, self._checked_ns = image_check.ImageCheck(), 0
        self._tracking_view: TrackingView | None = None
        self._last_gray: np.ndarray | None = None
        self.features: FeatureMotion | None = None

    def expect(self, prepared: PreparedFrame, view: NetworkView) -> None:
        """Let the engine know, before the depth network runs, of which pair the pose network's motion will be asked for."""
        stamp_ns = prepared.frame.stamp_ns
        # Features come first where they may.
        if self._config.source != "network" or view is not self._view or self._odometry.breaks(stamp_ns):
            return
        partner = self._history.partner(stamp_ns)
        if partner is not None:
            self._engine.expect_motion(partner.image, prepared.image)

    def track(self, prepared: PreparedFrame, view: NetworkView, scale: ScaleSource) -> OdometryEstimate | None:
        """The estimate at a frame; None for one without a stamp: no time, no motion.

        Features need what the frame has seen. scale is shown the motion, and multiplies it.
        """
        stamp_ns = prepared.frame.stamp_ns
        if stamp_ns == 0:
            return None
        if view is not self._view:
            # Frames seen through another camera make no pairs with this one's.
            self._view = view
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
            reason=motion.reason,
            turn=motion.turn,
        )
        if motion.is_bridged and found.state is TrackingState.TRACKING:
            return replace(found, note=f"{motion.reason}: turned by the gyro, at the speed before")
        return found

    def _motion(self, prepared: PreparedFrame) -> _Motion:
        config, stamp_ns, image = self._config, prepared.frame.stamp_ns, prepared.image
        if config.source == "network":
            return self._by_network_alone(stamp_ns, image, self._tracked_image(prepared))
        inverse_depth = prepared.seen.inverse_depth
        motion = self._by_features(prepared, inverse_depth)
        is_fallback = motion.T_previous_current is None and config.source == "auto" and self._engine.has_pose
        if is_fallback and self._history.newest is not None:
            motion = self._by_network_if_plausible(stamp_ns, image, prepared, inverse_depth, motion)
        if config.source == "auto" and self._engine.has_pose:
            self._last_gray = cv2.cvtColor(prepared.rgb, cv2.COLOR_RGB2GRAY)
        self._history.add(stamp_ns, image)
        return motion

    def _by_features(self, prepared: PreparedFrame, inverse_depth: np.ndarray) -> _Motion:
        gray = self._tracked_image(prepared)
        if self._features is None:
            self._features = FeatureOdometry(self._tracking_view.camera, self._config.max_points, self.gyro)
        self.features = found = self._features.update(gray, inverse_depth, prepared.frame.stamp_ns)
        is_measured = not (found.is_bridged or found.ends_bridge)
        T = None if found.T_previous_current is None else found.T_previous_current.copy()
        return _Motion(T, found.covariance, found.reason, None, found.is_bridged, is_measured)

    def _tracked_image(self, prepared: PreparedFrame) -> np.ndarray:
        """(H, W) uint8, as large as the camera and what looks at it have use for, however small the network's input."""
        if self._tracking_view is None:
            width = image_check.WIDTH if self._config.source == "network" else WIDTH
            self._tracking_view = TrackingView(self._view, self._header.filter, width)
        return self._tracking_view.render(prepared.frame.pixels, prepared.rgb)

    def _by_network_alone(self, stamp_ns: int, image, gray: np.ndarray) -> _Motion:
        """The network's motion unless the images (gray: (H, W) uint8) show that there is none, or none to be told."""
        change, before_ns = self._check.update(gray), self._checked_ns
        self._checked_ns = stamp_ns
        if change.reason:
            # No later image may be paired with one before this.
            self._history.clear()
            motion = _Motion(None, reason=change.reason)
        elif change.is_still:
            if self.gyro is not None:
                self.gyro.observe(
                    before_ns, stamp_ns, np.eye(3), image_check.STILL_FLOW / self._tracking_view.camera.fx
                )
            motion = _Motion(np.eye(4))
        else:
            motion = self._by_network(stamp_ns, image)
        if change.is_kept:
            # While the camera stands, the pair to come begins with the image that it has stood since.
            self._history.add(stamp_ns, image)
        return motion

    def _by_network(self, stamp_ns: int, image) -> _Motion:
        partner, previous = self._history.partner(stamp_ns), self._history.newest
        if partner is None:
            return _Motion(None)
        T_later_earlier = self._engine.motion(partner.image, image)
        if not np.isfinite(T_later_earlier).all():
            return _Motion(None, reason="the pose network gave a motion that is not finite")
        T_earlier_later = invert(self._view.correct_motion(T_later_earlier))
        # The pair may reach back further than the last frame (a camera faster than the network's
        # training): at constant velocity this step is the share of it that its time is.
        share = (stamp_ns - previous.stamp_ns) / (stamp_ns - partner.stamp_ns)
        T_previous_current = T_earlier_later if share == 1.0 else power(T_earlier_later, share)
        return _Motion(T_previous_current, turn=self._turn(previous.stamp_ns, stamp_ns, T_previous_current[:3, :3]))

    def _turn(self, start_ns: int, stop_ns: int, R_network: np.ndarray) -> Turn | None:
        """The gyro's, which is compared with the network's on the way."""
        if self.gyro is None:
            return None
        config = self._config
        angle = np.linalg.norm(rotation_to_axis_angle(R_network))
        sigma = np.hypot(config.rotation_noise * angle, config.rotation_noise_floor)
        # A network is wrong in the same way again and again: of that no bias can be learned.
        self.gyro.observe(start_ns, stop_ns, R_network, sigma, has_independent_errors=False)
        return self.gyro.turn(start_ns, stop_ns)

    def _by_network_if_plausible(
        self, stamp_ns: int, image, prepared: PreparedFrame, inverse_depth: np.ndarray, instead: _Motion
    ) -> _Motion:
        """The network's motion if it explains the images; else `instead`, with what the features said."""
        motion = self._by_network(stamp_ns, image)
        T_previous_current = motion.T_previous_current
        if T_previous_current is None:
            return instead
        camera = self._view.camera
        explains = motion_explains_images(
            self._last_gray,
            cv2.cvtColor(prepared.rgb, cv2.COLOR_RGB2GRAY),
            np.nan_to_num(inverse_depth),
            camera.ray_grid(),
            camera.K,
            T_previous_current,
        )
        return motion if explains else instead
