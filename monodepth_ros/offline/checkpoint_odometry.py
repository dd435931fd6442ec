# SPDX-License-Identifier: Apache-2.0
"""The trajectory of a checkpoint over a source with reference poses, from its pose network or from features."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from monodepth_ros.data.sources.source import FrameSource
from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.evaluation.trajectory_file import Trajectory
from monodepth_ros.inference.engine import Engine
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.odometry.scale.config import ScaleConfig
from monodepth_ros.odometry.visual_odometry import OdometryEstimate, TrackingState
from monodepth_ros.offline.frames import SourcePipeline
from monodepth_ros.pipeline.frame import Demand
from monodepth_ros.pipeline.run_config import RunConfig
from monodepth_ros.settings.schema import replace

NO_REFERENCE = "expected a recording with ground truth odometry, or a data set with poses (KITTI, TUM RGB-D, EuRoC)"


class CheckpointOdometry(NamedTuple):
    """Reference and estimated trajectory of the camera at the same frames, and notes about them."""

    reference: Trajectory
    estimate: Trajectory
    notes: list[str]


class _Part(NamedTuple):
    """Estimates and reference poses (4, 4) of the frames between two breaks of the trajectory."""

    estimates: list[OdometryEstimate]
    reference: list[np.ndarray]


def checkpoint_odometry(
    source: FrameSource,
    engine: Engine,
    header: CheckpointHeader,
    frames: int = 0,
    advanced: Callable[[], None] = lambda: None,
    config: RunConfig = RunConfig(),
) -> CheckpointOdometry:
    """Run the node's pipeline over a source, and gather its trajectory beside the reference poses.

    As in the node, pairs are made by time and implausible motions are rejected. If gaps break the trajectory, its
    longest part counts. frames: number of frames to read, 0 for all; `advanced` is called after each. config: a
    checkpoint without metres is used as relative if it names no scale. EvaluationError without reference poses, or
    without the pose network that odometry.source asks for.
    """
    if config.odometry.source == "network" and not engine.has_pose:
        raise EvaluationError("the checkpoint has no pose network: expected one, or odometry by features")
    if not header.is_metric and config.scale == ScaleConfig():
        config = replace(config, {"scale.source": "relative"})
    # The steps are compared with the reference's after their common scale has been fitted to it.
    config = replace(config, {"odometry.scale_in_covariance": False})
    run = SourcePipeline(source, engine, header, config)
    parts, count = _read_parts(run, frames, advanced)
    longest = max(parts, key=lambda part: len(part.estimates), default=_Part([], []))
    if len(longest.estimates) < 2:
        known = sum(len(part.estimates) for part in parts)
        raise EvaluationError(
            f"{source.description}: {known} of {count} frames have a reference pose and odometry;"
            f" {_why_no_poses(source)}"
        )
    seconds = np.array([estimate.stamp_ns * 1e-9 for estimate in longest.estimates])
    estimate = Trajectory(
        f"odometry by {run.pipeline.motion_description}",
        np.array([estimate.T_start_camera for estimate in longest.estimates]),
        seconds,
        is_scale_free=not run.pipeline.scale.is_metric,
        step_covariances=_step_covariances(longest.estimates),
    )
    reference = Trajectory(source.description, np.array(longest.reference), seconds)
    return CheckpointOdometry(reference, estimate, _notes(run, parts, longest, count))


def _read_parts(run: SourcePipeline, frames: int, advanced: Callable[[], None]) -> tuple[list[_Part], int]:
    """The parts of the trajectory, and the number of frames."""
    parts: list[_Part] = []
    count = 0
    results = run.frames(Demand(odometry=True))
    try:
        for frame in results:
            estimate, pose = frame.result.odometry, frame.source.T_world_camera
            if estimate is not None and (estimate.has_reset or not parts):
                parts.append(_Part([], []))
            if estimate is not None and pose is not None:
                parts[-1].estimates.append(estimate)
                parts[-1].reference.append(pose)
            count += 1
            advanced()
            if count == frames:
                break
    finally:
        results.close()
        run.close()
    return parts, count


def _notes(run: SourcePipeline, parts: list[_Part], longest: _Part, count: int) -> list[str]:
    notes = run.input_notes
    if run.gyro_input.description:
        notes.append(f"gyro: {run.gyro_input.description}")
    if run.contradiction:
        notes.append(run.contradiction)
    if len(parts) > 1:
        notes.append(f"gaps break the trajectory into {len(parts)} parts: the longest counts")
    if len(longest.estimates) < count:
        notes.append(f"{len(longest.estimates)} of {count} frames are compared")
    lost = sum(estimate.state is TrackingState.LOST for estimate in longest.estimates)
    if lost:
        notes.append(f"at {lost} frames the motion was not plausible, and the pose was held")
    return notes


def _step_covariances(estimates: list[OdometryEstimate]) -> np.ndarray:
    """(N, 6, 6) of the motion that leads to each frame; NaN for a frame without one."""
    covariances = np.full((len(estimates), 6, 6), np.nan)
    for i in range(1, len(estimates)):
        if estimates[i].state is TrackingState.TRACKING:
            seconds = (estimates[i].stamp_ns - estimates[i - 1].stamp_ns) * 1e-9
            covariances[i] = estimates[i].twist_covariance * seconds**2
    return covariances


def reference_trajectory(source: FrameSource, frames: int = 0) -> Trajectory:
    """The source's poses of its camera in the first `frames` frames, 0 for all; EvaluationError for fewer than two."""
    poses, seconds, numbers, count = [], [], [], 0
    for number, frame in enumerate(source.frames()):
        count += 1
        if frame.T_world_camera is not None:
            poses.append(frame.T_world_camera)
            seconds.append(frame.stamp_ns * 1e-9)
            numbers.append(number)
        if count == frames:
            break
    if len(poses) < 2:
        found = f"{len(poses)} of {count} frames have a reference pose"
        raise EvaluationError(f"{source.description}: {found}; {_why_no_poses(source)}")
    known = None if len(poses) == count else np.array(numbers)
    return Trajectory(source.description, np.array(poses), np.array(seconds), known)


def _why_no_poses(source: FrameSource) -> str:
    return "; ".join(filter(None, [source.why_no_poses(), NO_REFERENCE]))
