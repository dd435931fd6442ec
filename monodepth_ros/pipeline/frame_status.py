# SPDX-License-Identifier: Apache-2.0
"""The fields of monodepth_ros/DepthStatus for one frame, live or offline."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from monodepth_ros.inference.engine import Engine
from monodepth_ros.odometry.visual_odometry import TrackingState
from monodepth_ros.pipeline.frame import FrameResult


class StageTimes(NamedTuple):
    """Time of a frame in each stage [ms], as in DepthStatus.msg; NaN for a stage that the frame did not pass."""

    transport: float
    decode: float
    inference: float
    motion: float
    publish: float
    total: float


def status_fields(
    result: FrameResult,
    *,
    checkpoint: str,
    engine: Engine,
    counts: Mapping[str, int],
    odometry_state: TrackingState,
    times: StageTimes,
) -> dict[str, Any]:
    """Every field of DepthStatus but the header, for a frame with depth statistics; counts: the fields frames_*."""
    statistics, scale = result.statistics, result.scale
    if statistics is None:
        raise ValueError("the frame has no depth statistics: ask for them in its Demand")
    return {
        "checkpoint": checkpoint,
        "engine": engine.name,
        "device": engine.device,
        "min_depth": statistics.minimum,
        "median_depth": statistics.median,
        "max_depth": statistics.maximum,
        "valid_ratio": statistics.valid_ratio,
        "image_coverage": result.view.image_coverage,
        "scale": float(scale.factor * result.view.depth_factor),
        "scale_source": int(scale.kind),
        "scale_uncertainty": scale.uncertainty,
        "scale_state": int(scale.state),
        **counts,
        **{f"latency_{stage}_ms": milliseconds for stage, milliseconds in times._asdict().items()},
        "odometry_state": int(odometry_state),
    }
