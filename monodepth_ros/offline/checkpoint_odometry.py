# SPDX-License-Identifier: Apache-2.0
"""The trajectory that a checkpoint makes of a source whose poses are known, by its pose network or by features."""

from collections.abc import Callable

import numpy as np

from monodepth_ros.data.sources.source import FrameSource
from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.evaluation.trajectory_file import Trajectory
from monodepth_ros.inference.engine import Engine
from monodepth_ros.networks.checkpoint_header import CheckpointHeader
from monodepth_ros.odometry.scale.config import ScaleConfig
from monodepth_ros.odometry.visual_odometry import OdometryEstimate, TrackingState
from monodepth_ros.offline.frames import process_frames
from monodepth_ros.offline.recorded_gyro import RecordedGyro
from monodepth_ros.offline.recorded_scale_inputs import RecordedScaleInputs
from monodepth_ros.pipeline.frame import Demand
from monodepth_ros.pipeline.frame_pipeline import FramePipeline
from monodepth_ros.pipeline.moving_frame import MovingFrame
from monodepth_ros.pipeline.run_config import RunConfig
from monodepth_ros.settings.schema import replace


def network_odometry(
    source: FrameSource,
    engine: Engine,
    header: CheckpointHeader,
    frames: int = 0,
    advanced: Callable[[], None] = lambda: None,
    config: RunConfig = RunConfig(),
) -> tuple[Trajectory, Trajectory, list[str]]:
    """True and estimated trajectory of the camera, as long as both are known, and notes about them.

    The frames go through the node's pipeline: pairs by time, implausible motions are not taken. Of a
    recording with gaps the longest part counts. frames: end after so many, 0 for all; `advanced` is called
    after each. config: the settings; a checkpoint without metres is taken as relative where they name no scale.
    EvaluationError without poses, or without a pose network that was asked for.
    """
    if config.odometry.source == "network" and not engine.has_pose:
        raise EvaluationError("the checkpoint has no pose network: expected one, or odometry by features")
    if not header.is_metric and config.scale == ScaleConfig():
        config = replace(config, {"scale.source": "relative"})
    pipeline = FramePipeline(engine, header, config)
    moving_frame = MovingFrame(config, source.frame_id, source.transforms)
    scale_inputs = RecordedScaleInputs(source, config.scale, pipeline.travel)
    gyro_input = RecordedGyro(source, config.odometry.imu_topic, pipeline.gyro)
    parts: list[list[tuple[OdometryEstimate, np.ndarray]]] = []
    count = known = 0
    run = process_frames(
        source, pipeline, moving_frame, Demand(odometry=True), source.left_out, scale_inputs, gyro_input
    )
    try:
        for frame in run:
            estimate, pose = frame.result.odometry, frame.source.T_world_camera
            if estimate is not None and (estimate.has_reset or not parts):
                parts.append([])
            if estimate is not None and pose is not None:
                parts[-1].append((estimate, pose))
                known += 1
            count += 1
            advanced()
            if count == frames:
                break
    finally:
        run.close()
        scale_inputs.close()
        gyro_input.close()
    longest = max(parts, key=len, default=[])
    if len(longest) < 2:
        raise EvaluationError(
            f"{source.description}: {known} of {count} frames have a true pose and odometry; expected a"
            " recording with ground truth odometry, or a KITTI sequence with poses.txt"
        )
    notes = scale_inputs.notes + gyro_input.notes
    if gyro_input.description:
        notes.append(f"gyro: {gyro_input.description}")
    if len(parts) > 1:
        notes.append(f"gaps break the trajectory into {len(parts)} parts: the longest counts")
    if len(longest) < count:
        notes.append(f"{len(longest)} of {count} frames are compared")
    lost = sum(estimate.state is TrackingState.LOST for estimate, _ in longest)
    if lost:
        notes.append(f"at {lost} frames the motion was not plausible, and the pose was held")
    seconds = np.array([estimate.stamp_ns * 1e-9 for estimate, _ in longest])
    truth = np.array([pose for _, pose in longest])
    poses = np.array([estimate.T_start_camera for estimate, _ in longest])
    return (
        Trajectory(source.description, truth, seconds),
        Trajectory(
            f"odometry by {pipeline.motion_description}",
            poses,
            seconds,
            is_scale_free=not pipeline.scale.is_metric,
            step_covariances=_step_covariances([estimate for estimate, _ in longest]),
        ),
        notes,
    )


def _step_covariances(estimates: list[OdometryEstimate]) -> np.ndarray:
    """(N, 6, 6) of the motion to each frame from the one before it; NaN where there was none."""
    covariances = np.full((len(estimates), 6, 6), np.nan)
    for i in range(1, len(estimates)):
        if estimates[i].state is TrackingState.TRACKING:
            seconds = (estimates[i].stamp_ns - estimates[i - 1].stamp_ns) * 1e-9
            covariances[i] = estimates[i].twist_covariance * seconds**2
    return covariances


def true_trajectory(source: FrameSource, frames: int = 0) -> Trajectory:
    """The poses a source knows of its camera, in its first `frames` frames (0: all); EvaluationError if there
    are fewer than two."""
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
        raise EvaluationError(
            f"{source.description}: {len(poses)} of {count} frames have a true pose; expected a recording"
            " with ground truth odometry, or a KITTI sequence with poses.txt"
        )
    known = None if len(poses) == count else np.array(numbers)
    return Trajectory(source.description, np.array(poses), np.array(seconds), known)
