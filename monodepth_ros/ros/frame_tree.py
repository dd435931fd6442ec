# SPDX-License-Identifier: Apache-2.0
"""The topics of TF, and the parents of frames there, without the transforms themselves."""

import threading
import time
from collections.abc import Container
from typing import NamedTuple

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from tf2_msgs.msg import TFMessage

from monodepth_ros.pipeline.base_choice import Parent
from monodepth_ros.stamps import nanoseconds

TF_QOS = QoSProfile(depth=100, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE)
TF_STATIC_QOS = QoSProfile(
    depth=100,
    history=HistoryPolicy.KEEP_LAST,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
# A moving transform that was not published for this long has no publisher any more [s].
SILENCE = 5.0


class _Edge(NamedTuple):
    """The newest transform of a frame; heard: its time of arrival (steady clock [s])."""

    parent: Parent
    stamp_ns: int
    heard: float


class FrameTree:
    """The tree of frames. Thread-safe. A frame with a static parent keeps it, whatever comes on /tf."""

    def __init__(self) -> None:
        self._edges: dict[str, _Edge] = {}
        self._lock = threading.Lock()

    def add(self, message: TFMessage, is_static: bool) -> None:
        """Add transforms; skip those without a frame name."""
        now = time.monotonic()
        with self._lock:
            for item in message.transforms:
                child, parent = item.child_frame_id.lstrip("/"), item.header.frame_id.lstrip("/")
                if not child or not parent or child == parent:
                    continue
                known = self._edges.get(child)
                if known is None or is_static or not known.parent.is_static:
                    self._edges[child] = _Edge(Parent(parent, is_static), nanoseconds(item.header.stamp), now)

    def parent_of(self, frame: str) -> Parent | None:
        """The parent of a frame; None if it has none."""
        with self._lock:
            edge = self._edges.get(frame.lstrip("/"))
        return None if edge is None else edge.parent

    def has_rival(self, parent: str, child: str, own_stamps: Container[int]) -> bool:
        """Whether another node publishes parent -> child now. own_stamps: those of our own transforms [ns]."""
        with self._lock:
            edge = self._edges.get(child.lstrip("/"))
        if edge is None or edge.parent.name != parent.lstrip("/"):
            return False
        return edge.parent.is_static or (edge.stamp_ns not in own_stamps and time.monotonic() - edge.heard < SILENCE)
