# SPDX-License-Identifier: Apache-2.0
"""Motions between consecutive frames into a trajectory."""

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from monodepth_ros.geometry.motion import log_se3, orthonormalize
from monodepth_ros.odometry.covariance import propagate, step_covariance, unknown_covariance
from monodepth_ros.odometry.gate import implausible
from monodepth_ros.odometry.gyro.gyro import Turn
from monodepth_ros.odometry.gyro.rotation_prior import turned_step


class TrackingState(IntEnum):
    """What the odometry knows; the numbers are those of DepthStatus.msg."""

    NO_DATA = 0
    TRACKING = 1
    LOST = 2
    DISABLED = 3


@dataclass(frozen=True)
class OdometryEstimate:
    """Pose and velocity of the camera at one frame. Optical axes (x right, y down, z forward), metres and seconds.

    T_start_camera: (4, 4) camera in the frame in which the trajectory began. pose_covariance: (6, 6), see covariance.py.
    twist: (6,) linear [m/s] then angular [rad/s] velocity in the camera's own axes. twist_covariance: (6, 6).
    has_reset: the trajectory begins anew with this frame. note: what was unusual, in plain words, or empty.
    """

    stamp_ns: int
    state: TrackingState
    T_start_camera: np.ndarray
    pose_covariance: np.ndarray
    twist: np.ndarray
    twist_covariance: np.ndarray
    has_reset: bool = False
    note: str = ""


@dataclass(frozen=True)
class NoiseModel:
    """Standard deviation of a step: a share of its size plus a floor (metres, radians)."""

    translation: float = 0.05
    translation_floor: float = 0.01
    rotation: float = 0.05
    rotation_floor: float = 0.002


@dataclass
class VisualOdometry:
    """Integrates motions in float64; never invents one.

    max_gap [s]: a longer time between frames breaks the trajectory, which begins anew (`reset_on_gap`) or is held.
    A stamp that goes back always begins a new one. max_speed [m/s], max_turn_rate [rad/s]: faster motions are ignored.
    """

    max_gap: float = 1.0
    reset_on_gap: bool = True
    max_speed: float = 60.0
    max_turn_rate: float = 3.0
    noise: NoiseModel = field(default_factory=NoiseModel)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next frame is the origin of a new trajectory."""
        self._last_stamp_ns: int | None = None
        self._pose = np.eye(4)
        self._covariance = np.diag([self.noise.translation_floor**2] * 3 + [self.noise.rotation_floor**2] * 3)

    def breaks(self, stamp_ns: int) -> str:
        """Why a frame of this stamp cannot be joined to the last one, or an empty string."""
        if self._last_stamp_ns is None:
            return ""
        seconds = (stamp_ns - self._last_stamp_ns) * 1e-9
        if seconds <= 0:
            return f"the stamp went back by {-seconds:.3f} s"
        if seconds > self.max_gap:
            return f"no frame for {seconds:.3f} s (odometry.max_gap is {self.max_gap:g})"
        return ""

    def update(
        self,
        stamp_ns: int,
        T_previous_current: np.ndarray | None,
        metric: bool = True,
        covariance: np.ndarray | None = None,
        reason: str = "no motion for this frame",
        turn: Turn | None = None,
    ) -> OdometryEstimate:
        """The estimate at a frame, given its motion from the frame before.

        stamp_ns: the frame's own stamp. T_previous_current: (4, 4) pose of this camera in the previous frame's axes, or
        None where it is not known; reason: why not. metric: whether its lengths are metres, so that max_speed applies.
        covariance: (6, 6) of the motion in the previous frame's axes; without one, that of the noise model, and then a
        gyro's turn, which is not in the motion yet, makes both better.
        """
        previous_ns = self._last_stamp_ns
        broken = self.breaks(stamp_ns)
        self._last_stamp_ns = stamp_ns
        if previous_ns is None:
            return self._unknown(stamp_ns, TrackingState.NO_DATA, has_reset=True)
        seconds = (stamp_ns - previous_ns) * 1e-9
        if broken:
            if seconds <= 0 or self.reset_on_gap:
                self.reset()
                self._last_stamp_ns = stamp_ns
                return self._unknown(stamp_ns, TrackingState.NO_DATA, has_reset=True, note=f"{broken}: new trajectory")
            return self._lose(stamp_ns, seconds, f"{broken}: pose held")
        if T_previous_current is None:
            return self._lose(stamp_ns, seconds, f"{reason}: pose held")
        limit = self.max_speed if metric else np.inf
        doubt = implausible(T_previous_current, seconds, limit, self.max_turn_rate)
        if doubt:
            return self._lose(stamp_ns, seconds, f"{doubt}: pose held")
        if covariance is not None:
            return self._advance(stamp_ns, T_previous_current, seconds, covariance)
        step, noise = T_previous_current, self.noise
        covariance = step_covariance(
            log_se3(step), noise.translation, noise.translation_floor, noise.rotation, noise.rotation_floor
        )
        if turn is not None:
            step, covariance = turned_step(step, covariance, turn)
        return self._advance(stamp_ns, step, seconds, covariance)

    def _advance(self, stamp_ns: int, step: np.ndarray, seconds: float, uncertainty: np.ndarray) -> OdometryEstimate:
        self._covariance = propagate(self._covariance, self._pose[:3, :3], step[:3, 3], uncertainty)
        pose = self._pose @ step
        pose[:3, :3] = orthonormalize(pose[:3, :3])
        self._pose = pose
        return OdometryEstimate(
            stamp_ns=stamp_ns,
            state=TrackingState.TRACKING,
            T_start_camera=pose.copy(),
            pose_covariance=self._covariance.copy(),
            twist=log_se3(step) / seconds,
            twist_covariance=uncertainty / seconds**2,
        )

    def _lose(self, stamp_ns: int, seconds: float, note: str) -> OdometryEstimate:
        # Where the camera went meanwhile is unknown for the rest of this trajectory, but within what it can do.
        travel, turn = self.max_speed * seconds, min(self.max_turn_rate * seconds, np.pi)
        self._covariance = self._covariance + np.diag([travel**2] * 3 + [turn**2] * 3)
        return self._unknown(stamp_ns, TrackingState.LOST, note=note)

    def _unknown(
        self, stamp_ns: int, state: TrackingState, has_reset: bool = False, note: str = ""
    ) -> OdometryEstimate:
        return OdometryEstimate(
            stamp_ns=stamp_ns,
            state=state,
            T_start_camera=self._pose.copy(),
            pose_covariance=unknown_covariance() if state is TrackingState.LOST else self._covariance.copy(),
            twist=np.zeros(6),
            twist_covariance=unknown_covariance(),
            has_reset=has_reset,
            note=note,
        )
