# SPDX-License-Identifier: Apache-2.0
"""A live frame between the steps of its processing."""

import math
from typing import NamedTuple

from std_msgs.msg import Header

from monodepth_ros.pipeline.frame import PreparedFrame
from monodepth_ros.pipeline.frame_status import StageTimes
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.ros.live.inputs.image_flow import Arrival


class PendingFrame(NamedTuple):
    """A frame between the steps of its processing, with the settings at its beginning. decode_ms: time of its decoding
    so far [ms]."""

    arrival: Arrival
    config: NodeConfig
    publish_tf: bool
    prepared: PreparedFrame
    decode_ms: float

    @property
    def header(self) -> Header:
        """The image's."""
        return self.arrival.header

    def total_ms(self, finished: float) -> float:
        """Time from the arrival to `finished` (steady clock [s]) in milliseconds."""
        return 1e3 * (finished - self.arrival.time)

    def stage_times(self, tracked: float, finished: float) -> StageTimes:
        """Time in each stage; tracked, finished: when the motion was known and published (steady clock [s])."""
        spent, transport_ms = self.prepared.result.milliseconds, self.arrival.transport_ms
        return StageTimes(
            transport=transport_ms,
            decode=self.decode_ms + spent["prepare"],
            inference=spent["depth network"],
            motion=spent.get("motion", math.nan),
            publish=spent["publish"] + 1e3 * (finished - tracked),
            total=self.total_ms(finished) + (transport_ms if math.isfinite(transport_ms) else 0.0),
        )
