# SPDX-License-Identifier: Apache-2.0
"""A source's frames through the pipeline, one after the other."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from monodepth_ros.data.sources.read_ahead import read_ahead
from monodepth_ros.data.sources.source import FrameSource, SourceFrame
from monodepth_ros.errors import MonodepthError
from monodepth_ros.odometry.base_frame import BaseOdometry
from monodepth_ros.odometry.scale.source import CameraMount
from monodepth_ros.offline.recorded_gyro import RecordedGyro
from monodepth_ros.offline.recorded_scale_inputs import RecordedScaleInputs
from monodepth_ros.pipeline.frame import Demand, Frame, FrameResult
from monodepth_ros.pipeline.frame_pipeline import FramePipeline
from monodepth_ros.pipeline.moving_frame import MovingFrame


@dataclass(frozen=True)
class RunFrame:
    """A frame of the source, what the pipeline made of it, and the moving frame's odometry (or None)."""

    source: SourceFrame
    result: FrameResult
    moving: BaseOdometry | None


def process_frames(
    source: FrameSource,
    pipeline: FramePipeline,
    moving_frame: MovingFrame,
    demand: Demand,
    left_out: Counter[str],
    scale_inputs: RecordedScaleInputs | None = None,
    gyro_input: RecordedGyro | None = None,
) -> Iterator[RunFrame]:
    """Every frame in its order, none skipped for being late.

    Frames that cannot be used are counted in `left_out` by reason. scale_inputs: what a measured scale is told;
    gyro_input: what the gyro is.
    As in the node, a frame with the stamp of the one before is a duplicate (0 is no stamp).
    """
    last_stamp_ns = 0
    for frame in read_ahead(source.frames()):
        if frame.stamp_ns and frame.stamp_ns == last_stamp_ns:
            left_out["a frame with the stamp of the one before"] += 1
            continue
        if scale_inputs is not None:
            scale_inputs.advance(frame)
        if gyro_input is not None:
            gyro_input.advance(frame)
        mount = CameraMount() if scale_inputs is None else scale_inputs.mount
        try:
            result = pipeline.process(Frame(frame.stamp_ns, frame.pixels, frame.camera, mount), demand)
        except MonodepthError as error:
            left_out[str(error)] += 1
            continue
        last_stamp_ns = frame.stamp_ns
        estimate = result.odometry
        yield RunFrame(frame, result, None if estimate is None else moving_frame.express(estimate))
