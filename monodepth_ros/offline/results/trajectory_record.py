# SPDX-License-Identifier: Apache-2.0
"""The trajectory of a run: its parts, files and errors."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from monodepth_ros.evaluation.trajectory_metrics import TrajectoryMetrics, evaluate_trajectory
from monodepth_ros.geometry.motion import rotation_to_quaternion
from monodepth_ros.odometry.base_frame import BaseOdometry
from monodepth_ros.odometry.visual_odometry import OdometryEstimate, TrackingState
from monodepth_ros.output_file import write_file


@dataclass
class TrajectoryPart:
    """Frames between two breaks of the trajectory. T_world_camera: reference poses, None where the source has none."""

    stamps_ns: list[int] = field(default_factory=list)
    states: list[TrackingState] = field(default_factory=list)
    T_odom_moving: list[np.ndarray] = field(default_factory=list)
    T_start_camera: list[np.ndarray] = field(default_factory=list)
    T_world_camera: list[np.ndarray | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.stamps_ns)


class TrajectoryRecord:
    """The estimates of a run, in parts: every break (gap, stamp that goes back) begins a new one."""

    def __init__(self) -> None:
        self.parts: list[TrajectoryPart] = []

    def add(self, estimate: OdometryEstimate, moving: BaseOdometry, T_world_camera: np.ndarray | None) -> None:
        """Add the estimate at a frame, for the camera and for the moving frame, and the camera's reference pose."""
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
        """The part with the most frames; an empty one without any."""
        return max(self.parts, key=len, default=TrajectoryPart())

    @property
    def lost_frames(self) -> int:
        """Number of frames at which the motion was lost."""
        return sum(state is TrackingState.LOST for part in self.parts for state in part.states)

    @property
    def distance(self) -> float:
        """Length of the camera's path over all parts."""
        places = (np.array([T[:3, 3] for T in part.T_start_camera]) for part in self.parts)
        return float(sum(np.linalg.norm(np.diff(place, axis=0), axis=1).sum() for place in places))

    def in_words(self, unit: str) -> str:
        """Distance and lost frames, for the summary of a run. unit: of lengths."""
        frames = sum(map(len, self.parts))
        text = f"{self.distance:.1f} {unit} travelled, lost at {self.lost_frames} of {frames} frames"
        if len(self.parts) > 1:
            text += f", in {len(self.parts)} parts"
        return text

    def metrics(self, is_metric: bool) -> TrajectoryMetrics | None:
        """Errors of the longest part over its frames with reference poses; None for fewer than two of them."""
        part = self.longest
        known = [i for i, T in enumerate(part.T_world_camera) if T is not None]
        if len(known) < 2:
            return None
        reference = [part.T_world_camera[i] for i in known]
        estimate = [part.T_start_camera[i] for i in known]
        return evaluate_trajectory(reference, estimate, "none" if is_metric else "length")

    def write(self, folder: Path) -> list[Path]:
        """Write trajectory_tum.txt and trajectory_kitti.txt, or trajectory_1_tum.txt and so on for several parts.

        Raises MonodepthError if the disk is full or gone.
        """
        written = []
        for number, part in enumerate(self.parts, 1):
            stem = "trajectory" if len(self.parts) == 1 else f"trajectory_{number}"
            for kind, lines in (("tum", _tum(part)), ("kitti", _kitti(part))):
                path = folder / f"{stem}_{kind}.txt"
                write_file(path, "\n".join(lines) + "\n")
                written.append(path)
        return written


def _tum(part: TrajectoryPart) -> list[str]:
    """Stamp [s], position and quaternion x y z w of the moving frame in odom, without lost frames."""
    lines = []
    for stamp_ns, state, T in zip(part.stamps_ns, part.states, part.T_odom_moving):
        if state is not TrackingState.LOST:
            numbers = [*T[:3, 3], *rotation_to_quaternion(T[:3, :3])]
            lines.append(f"{stamp_ns // 10**9}.{stamp_ns % 10**9:09d} " + " ".join(f"{value:.9g}" for value in numbers))
    return lines


def _kitti(part: TrajectoryPart) -> list[str]:
    """The upper three rows of the camera's pose in its first optical axes, a line per frame."""
    return [" ".join(f"{value:.9e}" for value in T[:3].ravel()) for T in part.T_start_camera]
