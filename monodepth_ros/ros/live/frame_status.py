# SPDX-License-Identifier: Apache-2.0
"""The status message of a frame."""

from collections.abc import Mapping
from typing import NamedTuple

from std_msgs.msg import Header

from monodepth_ros.inference.engine import Engine
from monodepth_ros.msg import DepthStatus
from monodepth_ros.odometry.visual_odometry import TrackingState
from monodepth_ros.pipeline.frame import FrameResult


class StageTimes(NamedTuple):
    """Time of a frame in each stage [ms], as in DepthStatus.msg."""

    transport: float
    decode: float
    inference: float
    motion: float
    publish: float
    total: float


def status_message(
    result: FrameResult,
    header: Header,
    *,
    checkpoint: str,
    engine: Engine,
    counts: Mapping[str, int],
    odometry_state: TrackingState,
    times: StageTimes,
) -> DepthStatus:
    """DepthStatus of a frame whose depth statistics were computed. counts: frames by fate."""
    statistics, scale = result.statistics, result.scale
    status = DepthStatus(header=header, checkpoint=checkpoint, engine=engine.name, device=engine.device)
    status.min_depth, status.median_depth = statistics.minimum, statistics.median
    status.max_depth, status.valid_ratio = statistics.maximum, statistics.valid_ratio
    status.scale, status.scale_source = float(scale.factor * result.view.depth_factor), int(scale.kind)
    status.scale_uncertainty, status.scale_state = scale.uncertainty, int(scale.state)
    for name, number in counts.items():
        setattr(status, name, number)
    for stage, milliseconds in times._asdict().items():
        setattr(status, f"latency_{stage}_ms", milliseconds)
    status.odometry_state = int(odometry_state)
    return status
