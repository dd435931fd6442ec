# SPDX-License-Identifier: Apache-2.0
"""The topics of TF, and the parents of frames there, without the transforms themselves."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from geometry_msgs.msg import TransformStamped
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from tf2_msgs.msg import TFMessage

from monodepth_ros.foreign_text import shown
from monodepth_ros.limits import MOST_PARENTS
from monodepth_ros.pipeline.base_choice import Parent
from monodepth_ros.ros.transform_filter import TransformFilter
from monodepth_ros.stamps import nanoseconds

TF_QOS = QoSProfile(depth=100, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE)
TF_STATIC_QOS = QoSProfile(
    depth=100,
    history=HistoryPolicy.KEEP_LAST,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
# A moving transform counts until it has been silent for this long, tf2's history, or for PAUSES times its longest pause
# so far, up to LONGEST_SILENCE [s].
SILENCE = 10.0
PAUSES = 3.0
LONGEST_SILENCE = 600.0
OWN_TRANSFORMS = 200  # transforms of our own to remember, until these have come back


class ParentInForce(NamedTuple):
    """A parent that other nodes give to a frame. is_static: on /tf_static."""

    name: str
    is_static: bool

    def __str__(self) -> str:
        return f"{shown(self.name)!r} on {'/tf_static' if self.is_static else '/tf'}"


@dataclass
class _Heard:
    last: float  # steady clock [s]
    longest_pause: float = 0.0
    replaced: float | None = None  # when another static parent took its place

    def again(self, now: float) -> None:
        self.longest_pause = max(self.longest_pause, now - self.last)
        self.last, self.replaced = now, None

    def counts(self, now: float) -> bool:
        return now - self.last < max(SILENCE, min(PAUSES * self.longest_pause, LONGEST_SILENCE))


class FrameTree:
    """The tree of frames, as other nodes publish it. Thread-safe.

    A frame with a static parent keeps it, whatever comes on /tf. on_refused: called with a line for each transform that
    is left out (see TransformFilter).
    """

    def __init__(self, on_refused: Callable[[str], None] = lambda line: None) -> None:
        self._filter = TransformFilter(on_refused)
        self._parents: dict[str, Parent] = {}
        self._heard: dict[str, dict[ParentInForce, _Heard]] = {}
        self._own: deque[tuple] = deque(maxlen=OWN_TRANSFORMS)
        self._lock = threading.Lock()

    def add(self, message: TFMessage, is_static: bool) -> list[TransformStamped]:
        """Add transforms; those that can be used now. Our own are not judged."""
        with self._lock:
            own = [not is_static and self._is_own(item) for item in message.transforms]
        others = [item for item, is_own in zip(message.transforms, own, strict=True) if not is_own]
        usable = list(self._filter.usable(TFMessage(transforms=others), is_static).transforms)
        now = time.monotonic()
        with self._lock:
            for item in usable:
                self._take(item, is_static, now)
        return usable + [item for item, is_own in zip(message.transforms, own, strict=True) if is_own]

    def _is_own(self, item: TransformStamped) -> bool:
        if not self._own or (content := _content(item)) not in self._own:
            return False
        self._own.remove(content)  # once: the same again comes from another node
        return True

    def _take(self, item: TransformStamped, is_static: bool, now: float) -> None:
        child, parent = item.child_frame_id.lstrip("/"), item.header.frame_id.lstrip("/")
        known, heard = self._parents.get(child), self._heard.setdefault(child, {})
        if known is None or is_static or not known.is_static:
            self._parents[child] = Parent(parent, is_static)
        is_replaced = is_static and known is not None and known.is_static and known.name != parent
        if is_replaced and (before := heard.get(ParentInForce(*known))):
            before.replaced = now
        found = heard.get(new := ParentInForce(parent, is_static))
        if found is not None:
            found.again(now)
            return
        if len(heard) >= MOST_PARENTS:
            del heard[min(heard, key=lambda old: heard[old].last)]
        heard[new] = _Heard(now)

    def parent_of(self, frame: str) -> Parent | None:
        """The parent of a frame, the last one heard of; None if it has none."""
        with self._lock:
            return self._parents.get(frame.lstrip("/"))

    def parents_of(self, frame: str) -> list[ParentInForce]:
        """All parents that other nodes give to a frame now: more than one is a fault of the robot's set-up.

        A static parent counts until another static one replaces it, a moving one while it is published.
        """
        now, frame = time.monotonic(), frame.lstrip("/")
        with self._lock:
            known = self._parents.get(frame)
            return [
                parent
                for parent, heard in self._heard.get(frame, {}).items()
                if heard.counts(now) or (parent.is_static and known == parent)
            ]

    def _stated(self, frame: str) -> list[ParentInForce]:
        """As `parents_of`, with the static parents that were replaced of late: each may be the truth to another node,
        if they are of two."""
        now, current = time.monotonic(), self.parents_of(frame)
        with self._lock:
            replaced = {
                parent
                for parent, heard in self._heard.get(frame, {}).items()
                if heard.replaced is not None and now - heard.replaced < LONGEST_SILENCE
            }
        return [*current, *sorted(replaced.difference(current))]

    def way_up(self, frame: str, ancestor: str) -> list[str]:
        """The frames from `frame` up to `ancestor`, both included; empty if others do not publish such a chain."""
        ways, seen = deque([[frame.lstrip("/")]]), {frame.lstrip("/")}
        while ways:
            way = ways.popleft()
            if way[-1] == ancestor.lstrip("/"):
                return way
            above = [parent.name for parent in self.parents_of(way[-1]) if parent.name not in seen]
            seen.update(above)
            ways.extend([*way, name] for name in above)
        return []

    def disputed(self, frame: str) -> Iterator[tuple[str, list[ParentInForce]]]:
        """The frames with several parents from `frame` upwards, with these."""
        seen = set()
        while frame not in seen:
            seen.add(frame)
            parents, above = self._stated(frame), self.parent_of(frame)
            if len({parent.name for parent in parents}) > 1:
                yield frame, parents
            if above is None:
                return
            frame = above.name

    def note_own(self, item: TransformStamped) -> None:
        """Announce a transform of our own, before it is published and so comes back on /tf."""
        with self._lock:
            self._own.append(_content(item))


def _content(item: TransformStamped) -> tuple:
    """What tells a transform from that of another node about the same frames and image."""
    parent, child = item.header.frame_id.lstrip("/"), item.child_frame_id.lstrip("/")
    t, q = item.transform.translation, item.transform.rotation
    return parent, child, nanoseconds(item.header.stamp), t.x, t.y, t.z, q.x, q.y, q.z, q.w
