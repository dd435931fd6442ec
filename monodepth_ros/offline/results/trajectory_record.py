# SPDX-License-Identifier: Apache-2.0
"""The trajectory of a run: its parts, its files, its errors."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from monodepth_ros.evaluation.trajectory_metrics import TrajectoryMetrics, evaluate_trajectory
from monodepth_ros.geometry.motion import rotation_to_quaternion
from monodepth_ros.odometry.base_frame import BaseOdometry
from monodepth_ros.odometry.visual_odometry import OdometryEstimate, TrackingState


@dataclass
class TrajectoryPart:
    """Frames between two breaks of the trajectory. T_world_camera: None where the source knows none."""

    stamps_ns: list[int] = field(default_factory=list)
    states: list[TrackingState] = field(default_factory=list)
    T_odom_moving: list[np.ndarray] = field(default_factory=list)
    T_start_camera: list[np.ndarray] = field(default_factory=list)
    T_world_camera: list[np.ndarray | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.stamps_ns)


class TrajectoryRecord:
    """Collects estimates; every break (gap, jump back in time) begins a new part."""

    def __init__(self) -> None:
        self.parts: list[TrajectoryPart] = []

    def add(self, estimate: OdometryEstimate, moving: BaseOdometry, T_world_camera: np.ndarray | None) -> None:
        """The estimate at a frame, for the camera and for the moving frame, and the camera's true pose."""
        if estimate.has_reset or not self.parts:
            self.parts.append(TrajectoryPart())
        part = self.parts[-1]
        part.stamps_ns.append(estimate.stamp_ns)
        part.states.append(estimate.state)
        part.T_odom_moving.append(moving.T_odom_base)
        part.T_start_camera.append(estimate.T_start_camera)
        part.T_world_camera.append(T_world_camera)

    @property
    def longest(self) -> TrajectoryPart:
        """The part with the most frames; empty if there is none."""
        return max(self.parts, key=len, default=TrajectoryPart())

    def metrics(self, is_metric: bool) -> TrajectoryMetrics | None:
        """Errors of the longest part over its frames of known true pose; None with fewer than two of them."""
        part = self.longest
        known = [i for i, T in enumerate(part.T_world_camera) if T is not None]
        if len(known) < 2:
            return None
        truth = [part.T_world_camera[i] for i in known]
        estimate = [part.T_start_camera[i] for i in known]
        return evaluate_trajectory(truth, estimate, "none" if is_metric else "length")

    def write(self, folder: Path) -> list[Path]:
        """The files: trajectory_tum.txt, trajectory_kitti.txt; of several parts trajectory_1_tum.txt, ..."""
        written = []
        for number, part in enumerate(self.parts, 1):
            stem = "trajectory" if len(self.parts) == 1 else f"trajectory_{number}"
            for kind, lines in (("tum", _tum(part)), ("kitti", _kitti(part))):
                path = folder / f"{stem}_{kind}.txt"
                path.write_text("\n".join(lines) + "\n", encoding="utf-8")
                written.append(path)
        return written


def _tum(part: TrajectoryPart) -> list[str]:
    """Stamp [s], position, quaternion x y z w of the moving frame in odom; lost frames are left out."""
    lines = []
    for stamp_ns, state, T in zip(part.stamps_ns, part.states, part.T_odom_moving):
        if state is not TrackingState.LOST:
            numbers = [*T[:3, 3], *rotation_to_quaternion(T[:3, :3])]
            lines.append(f"{stamp_ns // 10**9}.{stamp_ns % 10**9:09d} " + " ".join(f"{value:.9g}" for value in numbers))
    return lines


def _kitti(part: TrajectoryPart) -> list[str]:
    """Upper three rows of the camera's pose in the first camera's optical axes, a line for every frame."""
    return [" ".join(f"{value:.9e}" for value in T[:3].ravel()) for T in part.T_start_camera]
