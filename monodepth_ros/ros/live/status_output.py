# SPDX-License-Identifier: Apache-2.0
"""The status of a camera: of every processed frame, and while none comes, that there is none."""

import math
from dataclasses import replace

from std_msgs.msg import Header

from monodepth_ros.inference.engine import Engine
from monodepth_ros.msg import DepthStatus
from monodepth_ros.odometry.visual_odometry import TrackingState
from monodepth_ros.pipeline.depth_image import DepthStatistics
from monodepth_ros.pipeline.frame import FrameResult
from monodepth_ros.pipeline.frame_status import StageTimes, status_fields
from monodepth_ros.ros.live.counters import FrameCounters
from monodepth_ros.ros.live.outputs import DepthOutputs

NOT_COMPUTED = DepthStatistics(math.nan, math.nan, math.nan, math.nan)
NO_TIMES = StageTimes(*[math.nan] * len(StageTimes._fields))


class StatusOutput:
    """Publishes DepthStatus. checkpoint: its name."""

    def __init__(self, outputs: DepthOutputs, counts: FrameCounters, engine: Engine, checkpoint: str):
        self._outputs, self._counts, self._engine, self._checkpoint = outputs, counts, engine, checkpoint
        self._last: tuple[FrameResult, Header] | None = None

    def publish(self, result: FrameResult, header: Header, state: TrackingState, times: StageTimes) -> None:
        """Publish the status of a frame with statistics."""
        self._last = result, header
        fields = status_fields(
            result,
            checkpoint=self._checkpoint,
            engine=self._engine,
            counts=self._counts.counts(),
            odometry_state=state,
            times=times,
        )
        self._outputs.publish_status(DepthStatus(header=header, **fields))

    def publish_stale(self, state: TrackingState) -> None:
        """Repeat the last status, without what belonged to its frame: no frame was processed since."""
        if self._last is not None and self._outputs.wants_status:
            last, (result, header) = self._last, self._last
            self.publish(replace(result, statistics=NOT_COMPUTED), header, state, NO_TIMES)
            self._last = last

    def forget(self) -> None:
        """There is no last frame any more."""
        self._last = None
