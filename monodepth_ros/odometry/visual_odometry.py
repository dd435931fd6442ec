# SPDX-License-Identifier: Apache-2.0
"""Integration of the motions between consecutive frames into a trajectory."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from monodepth_ros.geometry.motion import log_se3, orthonormalize
from monodepth_ros.odometry.checks.motion_limits import reason_against_motion
from monodepth_ros.odometry.config import OdometryConfig
from monodepth_ros.odometry.covariance import along, propagate, step_covariance, unknown_covariance
from monodepth_ros.odometry.gyro.gyro import Turn
from monodepth_ros.odometry.gyro.rotation_prior import turned_step


class TrackingState(IntEnum):
    """State of the odometry at a frame, numbered as in DepthStatus.msg."""

    NO_DATA = 0
    TRACKING = 1
    LOST = 2
    DISABLED = 3


@dataclass(frozen=True)
class OdometryEstimate:
    """Pose and velocity of the camera at one frame, in optical axes (x right, y down, z forward), metres and seconds.

    T_start_camera: (4, 4) camera in the frame in which the trajectory began. pose_covariance: (6, 6), see
    covariance.py. twist: (6,) linear [m/s] then angular [rad/s] velocity in the camera's own axes. twist_covariance:
    (6, 6). has_reset: a new trajectory begins with this frame. note: anything unusual, in plain words, or empty.
    is_metric: lengths are metres; otherwise they are network units.
    """

    stamp_ns: int
    state: TrackingState
    T_start_camera: np.ndarray
    pose_covariance: np.ndarray
    twist: np.ndarray
    twist_covariance: np.ndarray
    has_reset: bool = False
    note: str = ""
    is_metric: bool = True


class VisualOdometry:
    """Integrates motions in float64; never invents one.

    config: its max_gap, on_gap, max_speed, max_turn_rate and noise settings apply, and may be replaced between frames.
    A stamp that goes back always begins a new trajectory.
    """

    def __init__(self, config: OdometryConfig = OdometryConfig()):
        self.config = config
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next frame is the origin of a new trajectory."""
        config = self.config
        self._last_stamp_ns: int | None = None
        self._pose = np.eye(4)
        self._covariance = np.diag([config.translation_noise_floor**2] * 3 + [config.rotation_noise_floor**2] * 3)
        # Error of the position for an error of the scale of one standard deviation: the same cause in every step.
        self._scale_error = np.zeros(3)

    def breaks(self, stamp_ns: int) -> str:
        """Reason why a frame of this stamp cannot be joined to the last one, or an empty string."""
        if self._last_stamp_ns is None:
            return ""
        seconds = (stamp_ns - self._last_stamp_ns) * 1e-9
        if seconds <= 0:
            return f"the stamp went back by {-seconds:.3f} s"
        if seconds > self.config.max_gap:
            return f"no frame for {seconds:.3f} s (odometry.max_gap is {self.config.max_gap:g})"
        return ""

    def update(
        self,
        stamp_ns: int,
        T_previous_current: np.ndarray | None,
        is_metric: bool = True,
        *,
        covariance: np.ndarray | None = None,
        scale_uncertainty: float = 0.0,
        reason: str = "no motion for this frame",
        turn: Turn | None = None,
    ) -> OdometryEstimate:
        """The estimate at a frame, given its motion from the frame before.

        stamp_ns: the frame's own stamp. T_previous_current: (4, 4) pose of this camera in the previous frame's axes, or
        None if unknown; reason: why it is unknown. is_metric: its lengths are metres, so max_speed applies. covariance:
        (6, 6) of the motion in the previous frame's axes. Without it the noise settings give the covariance, and
        `turn`, a gyro's rotation that the motion does not contain yet, improves both. scale_uncertainty: standard
        deviation of the lengths' common factor, as a share of it; it comes on top of the covariance.
        """
        previous_ns = self._last_stamp_ns
        broken = self.breaks(stamp_ns)
        self._last_stamp_ns = stamp_ns
        if previous_ns is None:
            return self._estimate_without_motion(stamp_ns, TrackingState.NO_DATA, has_reset=True)
        seconds = (stamp_ns - previous_ns) * 1e-9
        if broken:
            return self._break(stamp_ns, seconds, broken)
        if T_previous_current is None:
            return self._lose(stamp_ns, seconds, reason)
        refusal = reason_against_motion(T_previous_current, seconds, self.config, is_metric)
        if refusal:
            return self._lose(stamp_ns, seconds, refusal)
        step = T_previous_current
        if covariance is None:
            covariance = self._noise_of(step)
            if turn is not None:
                step, covariance = turned_step(step, covariance, turn)
        return self._advance(stamp_ns, step, seconds, covariance, scale_uncertainty)

    def _noise_of(self, step: np.ndarray) -> np.ndarray:
        config = self.config
        return step_covariance(
            log_se3(step),
            translation_noise=config.translation_noise,
            translation_floor=config.translation_noise_floor,
            rotation_noise=config.rotation_noise,
            rotation_floor=config.rotation_noise_floor,
        )

    def _break(self, stamp_ns: int, seconds: float, reason: str) -> OdometryEstimate:
        """Begin a new trajectory at the origin or hold the pose, after a gap or a stamp that went back."""
        if seconds > 0 and self.config.on_gap != "reset":
            return self._lose(stamp_ns, seconds, reason)
        self.reset()
        self._last_stamp_ns = stamp_ns
        note = f"{reason}: new trajectory"
        return self._estimate_without_motion(stamp_ns, TrackingState.NO_DATA, has_reset=True, note=note)

    def _advance(
        self, stamp_ns: int, step: np.ndarray, seconds: float, covariance: np.ndarray, scale_uncertainty: float
    ) -> OdometryEstimate:
        self._covariance = propagate(self._covariance, self._pose[:3, :3], step[:3, 3], covariance)
        self._scale_error = self._scale_error + scale_uncertainty * (self._pose[:3, :3] @ step[:3, 3])
        pose = self._pose @ step
        pose[:3, :3] = orthonormalize(pose[:3, :3])
        self._pose = pose
        return OdometryEstimate(
            stamp_ns=stamp_ns,
            state=TrackingState.TRACKING,
            T_start_camera=pose.copy(),
            pose_covariance=self._pose_covariance,
            twist=log_se3(step) / seconds,
            twist_covariance=(covariance + along(scale_uncertainty * step[:3, 3])) / seconds**2,
        )

    @property
    def _pose_covariance(self) -> np.ndarray:
        return self._covariance + along(self._scale_error)

    def _lose(self, stamp_ns: int, seconds: float, reason: str) -> OdometryEstimate:
        # For the rest of this trajectory the missing step is unknown, but bounded by the limits of speed and turn rate.
        travel, turn = self.config.max_speed * seconds, min(self.config.max_turn_rate * seconds, np.pi)
        self._covariance = self._covariance + np.diag([travel**2] * 3 + [turn**2] * 3)
        return self._estimate_without_motion(stamp_ns, TrackingState.LOST, note=f"{reason}: pose held")

    def _estimate_without_motion(
        self, stamp_ns: int, state: TrackingState, has_reset: bool = False, note: str = ""
    ) -> OdometryEstimate:
        return OdometryEstimate(
            stamp_ns=stamp_ns,
            state=state,
            T_start_camera=self._pose.copy(),
            pose_covariance=unknown_covariance() if state is TrackingState.LOST else self._pose_covariance,
            twist=np.zeros(6),
            twist_covariance=unknown_covariance(),
            has_reset=has_reset,
            note=note,
        )
