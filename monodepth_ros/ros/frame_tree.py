# SPDX-License-Identifier: Apache-2.0
"""The topics of TF, and the parents of frames there, without the transforms themselves."""

import threading
import time
from collections import deque
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
OWN_STAMPS = 200  # stamps of our own transforms to remember, until these have come back


class _Link(NamedTuple):
    parent: str
    child: str


class FrameTree:
    """The tree of frames. Thread-safe. A frame with a static parent keeps it, whatever comes on /tf."""

    def __init__(self) -> None:
        self._parents: dict[str, Parent] = {}
        self._own_stamps: deque[int] = deque(maxlen=OWN_STAMPS)
        self._heard: dict[_Link, float] = {}  # from other nodes, on /tf (steady clock [s])
        self._lock = threading.Lock()

    def add(self, message: TFMessage, is_static: bool) -> None:
        """Add transforms; skip those without a frame name."""
        now = time.monotonic()
        with self._lock:
            for item in message.transforms:
                child, parent = item.child_frame_id.lstrip("/"), item.header.frame_id.lstrip("/")
                if not child or not parent or child == parent:
                    continue
                known = self._parents.get(child)
                if known is None or is_static or not known.is_static:
                    self._parents[child] = Parent(parent, is_static)
                if not is_static and nanoseconds(item.header.stamp) not in self._own_stamps:
                    self._heard[_Link(parent, child)] = now

    def parent_of(self, frame: str) -> Parent | None:
        """The parent of a frame; None if it has none."""
        with self._lock:
            return self._parents.get(frame.lstrip("/"))

    def note_own(self, stamp_ns: int) -> None:
        """Announce a transform of our own with this stamp, before it is published and so comes back."""
        with self._lock:
            self._own_stamps.append(stamp_ns)

    def has_rival(self, parent: str, child: str) -> bool:
        """Whether another node publishes parent -> child, now or for good."""
        link = _Link(parent.lstrip("/"), child.lstrip("/"))
        with self._lock:
            heard, known = self._heard.get(link), self._parents.get(link.child)
        if known == (link.parent, True):
            return True
        return heard is not None and time.monotonic() - heard < SILENCE
