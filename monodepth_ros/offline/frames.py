# SPDX-License-Identifier: Apache-2.0
"""A source's frames through the pipeline, one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass

from monodepth_ros.data.sources.read_ahead import read_ahead
from monodepth_ros.data.sources.source import FrameSource, SourceFrame
from monodepth_ros.errors import MonodepthError
from monodepth_ros.inference.engine import Engine
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.odometry.base_frame import BaseOdometry
from monodepth_ros.offline.recorded_gyro import RecordedGyro
from monodepth_ros.offline.recorded_scale_inputs import RecordedScaleInputs
from monodepth_ros.pipeline.frame import Demand, Frame, FrameResult
from monodepth_ros.pipeline.frame_pipeline import FramePipeline
from monodepth_ros.pipeline.moving_frame import MovingFrame
from monodepth_ros.pipeline.run_config import RunConfig

DUPLICATE = "a frame with the stamp of the one before"


@dataclass(frozen=True)
class RunFrame:
    """A frame of the source, its results, and the odometry of the moving frame (None without odometry)."""

    source: SourceFrame
    result: FrameResult
    moving: BaseOdometry | None


class SourcePipeline:
    """The pipeline over a source, with the robot inputs of its recording.

    source: its `left_out` counts the frames that cannot be used, by reason. pipeline: the processing of a frame.
    moving_frame: the moving frame of the odometry. scale_inputs, gyro_input: the recorded wheel odometry and IMU.
    contradiction: the first frame at which depth contradicted the motion or the mount for seconds, and how; or empty.
    Raises ScaleError, RecordingError or SourceError if the settings do not fit the checkpoint or the source.
    """

    def __init__(self, source: FrameSource, engine: Engine, header: CheckpointHeader, config: RunConfig):
        self.source, self.engine = source, engine
        self.pipeline = FramePipeline(engine, header, config)
        self.moving_frame = MovingFrame(config, source.frame_id, source.transforms)
        self.scale_inputs = RecordedScaleInputs(source, config.scale, self.pipeline.travel)
        self.contradiction = ""
        self.gyro_input = RecordedGyro(source, config.odometry.imu_topic, self.pipeline.gyro)

    @property
    def input_notes(self) -> list[str]:
        """Notes about the robot inputs so far."""
        return self.scale_inputs.notes + self.gyro_input.notes

    def frames(self, demand: Demand) -> Iterator[RunFrame]:
        """Every usable frame, in order; none is dropped for being late.

        As in the node, a frame with the stamp of the one before is a duplicate (0 is no stamp).
        """
        left_out, last_stamp_ns = self.source.left_out, 0
        for frame in read_ahead(self.source.frames()):
            if frame.stamp_ns and frame.stamp_ns == last_stamp_ns:
                left_out[DUPLICATE] += 1
                continue
            self.scale_inputs.advance(frame)
            self.gyro_input.advance(frame)
            image = Frame(frame.stamp_ns, frame.pixels, frame.camera, self.scale_inputs.mount)
            try:
                result = self.pipeline.process(image, demand)
            except MonodepthError as error:
                left_out[str(error)] += 1
                continue
            last_stamp_ns = frame.stamp_ns
            if result.contradiction and not self.contradiction:
                self.contradiction = f"{frame.name}: {result.contradiction}"
            estimate = result.odometry
            yield RunFrame(frame, result, None if estimate is None else self.moving_frame.express(estimate))

    def close(self) -> None:
        """Release the files of the robot inputs."""
        self.scale_inputs.close()
        self.gyro_input.close()
