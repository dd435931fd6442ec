# SPDX-License-Identifier: Apache-2.0
"""The configuration of an offline run."""

from dataclasses import dataclass

from monodepth_ros.pipeline.config import PipelineConfig
from monodepth_ros.pipeline.moving_frame import MovingFrameConfig
from monodepth_ros.settings.schema import setting

# A path is sent whole each time: often enough to watch it, rarely enough to cost little.
PATH_PERIOD_NS = 500_000_000


@dataclass(frozen=True)
class RunConfig(MovingFrameConfig, PipelineConfig):
    """Settings of an offline run; the node has the same settings, with the same meaning."""

    path_length: int = setting(
        1000,
        "Number of poses in the published path; 0 for an empty path.",
        unit="poses",
        minimum=0,
        maximum=100000,
        live=True,
    )
