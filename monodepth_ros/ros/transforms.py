# SPDX-License-Identifier: Apache-2.0
"""Transforms between frames at a time, from tf2_ros if it is installed, else from a buffer of /tf and /tf_static."""

import threading
import time
from bisect import bisect_left
from collections.abc import Callable
from typing import Protocol
from weakref import WeakKeyDictionary

import numpy as np
from geometry_msgs.msg import Transform
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.time import Time
from tf2_msgs.msg import TFMessage

from monodepth_ros.data.transform_messages import matrix_of
from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.geometry.motion import interpolate, invert, make_transform
from monodepth_ros.ros.frame_tree import TF_QOS, TF_STATIC_QOS, FrameTree
from monodepth_ros.ros.interop import rotation_from_quaternion
from monodepth_ros.ros.node_log import node_log
from monodepth_ros.stamps import nanoseconds

try:
    import tf2_ros
except ImportError:  # not on PyPI
    tf2_ros = None

# Length of the history [s]; tf2's default.
CACHE_SECONDS = 10.0
NAMED = 30  # frames that a message names


class TransformError(MonodepthError):
    """The transform between two frames is not known at the time asked for."""


class TransformLookup(Protocol):
    """The interface of both implementations."""

    def lookup(self, target: str, source: str, stamp_ns: int, timeout: float) -> np.ndarray:
        """T_target_source (4, 4) at a stamp (0: the latest), waiting up to timeout [s]; TransformError if not known.

        Must not be called on the executor's thread, which fills the buffer.
        """

    @property
    def tree(self) -> FrameTree:
        """The parents of the frames heard of so far."""

    def close(self) -> None:
        """Release the subscriptions."""


def matrix_from_transform(transform: Transform) -> np.ndarray:
    """(4, 4) matrix of a geometry_msgs/Transform; MotionError for a quaternion of length zero or with NaN."""
    q, t = transform.rotation, transform.translation
    return make_transform(rotation_from_quaternion((q.x, q.y, q.z, q.w)), np.array((t.x, t.y, t.z)))


class _Track:
    """The transform of one frame to its parent over time, or a static one."""

    def __init__(self, parent: str, is_static: bool):
        self.parent = parent
        self.is_static = is_static
        self.stamps: list[int] = []
        self.transforms: list[Transform] = []

    def add(self, stamp_ns: int, transform: Transform) -> None:
        if self.is_static:
            self.stamps, self.transforms = [stamp_ns], [transform]
            return
        span = int(CACHE_SECONDS * 1e9)
        if self.stamps and stamp_ns < self.stamps[-1] - span:  # time went back: a bag that loops
            self.stamps, self.transforms = [], []
        at = bisect_left(self.stamps, stamp_ns)
        if at < len(self.stamps) and self.stamps[at] == stamp_ns:
            self.transforms[at] = transform
        else:
            self.stamps.insert(at, stamp_ns)
            self.transforms.insert(at, transform)
        first = bisect_left(self.stamps, self.stamps[-1] - span)
        del self.stamps[:first], self.transforms[:first]

    def at(self, stamp_ns: int, child: str) -> np.ndarray:
        """T_parent_child, interpolated as tf2 does: translation linearly, rotation by slerp."""
        if self.is_static or stamp_ns == 0:
            return matrix_of(self.transforms[-1])
        after = bisect_left(self.stamps, stamp_ns)
        if after < len(self.stamps) and self.stamps[after] == stamp_ns:
            return matrix_of(self.transforms[after])
        if after == len(self.stamps) or after == 0:
            edge, side = (self.stamps[-1], "newest") if after else (self.stamps[0], "oldest")
            raise TransformError(
                f"{self.parent} -> {child} is not known at {stamp_ns * 1e-9:.3f} s: "
                f"the {side} is of {edge * 1e-9:.3f} s"
            )
        before_ns, after_ns = self.stamps[after - 1], self.stamps[after]
        share = (stamp_ns - before_ns) / (after_ns - before_ns)
        earlier, later = matrix_of(self.transforms[after - 1]), matrix_of(self.transforms[after])
        T_parent_child = interpolate(earlier, later, share)
        T_parent_child[:3, 3] = (1.0 - share) * earlier[:3, 3] + share * later[:3, 3]
        return T_parent_child


class TransformBuffer:
    """The tree of frames from TransformStamped messages. Thread-safe. A frame with a static parent keeps it.

    on_refused: called with a line for each transform that is left out (see TransformFilter).
    """

    def __init__(self, on_refused: Callable[[str], None] = lambda line: None) -> None:
        self.tree = FrameTree(on_refused)
        self._tracks: dict[str, _Track] = {}
        self._changed = threading.Condition()

    def add(self, message: TFMessage, is_static: bool) -> None:
        """Add transforms; those that cannot be used are left out."""
        usable = self.tree.add(message, is_static)
        with self._changed:
            for item in usable:
                parent, child = item.header.frame_id.lstrip("/"), item.child_frame_id.lstrip("/")
                track = self._tracks.get(child)
                if track is not None and track.is_static and not is_static:
                    continue
                if track is None or track.parent != parent or track.is_static != is_static:
                    track = self._tracks[child] = _Track(parent, is_static)
                track.add(nanoseconds(item.header.stamp), item.transform)
            self._changed.notify_all()

    def lookup(self, target: str, source: str, stamp_ns: int, timeout: float) -> np.ndarray:
        """See TransformLookup."""
        target, source = target.lstrip("/"), source.lstrip("/")
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                try:
                    return self._find(target, source, stamp_ns)
                except TransformError:
                    remaining = deadline - time.monotonic()
                    if remaining <= 0 or not self._changed.wait(remaining):
                        raise

    def _find(self, target: str, source: str, stamp_ns: int) -> np.ndarray:
        up_source = self._ancestors(source)
        up_target = self._ancestors(target)
        common = next((frame for frame in up_source if frame in up_target), None)
        if common is None:
            names = sorted(set(self._tracks) | {t.parent for t in self._tracks.values()})
            known = ", ".join(names[:NAMED]) or "none"
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            raise TransformError(
                f"no transform connects {source!r} with {target!r}: publish one (frames known: {known}{more})"
            )
        return invert(self._climb(target, common, stamp_ns)) @ self._climb(source, common, stamp_ns)

    def _ancestors(self, frame: str) -> list[str]:
        chain = [frame]
        while chain[-1] in self._tracks:
            parent = self._tracks[chain[-1]].parent
            if parent in chain:  # published as a loop
                break
            chain.append(parent)
        return chain

    def _climb(self, frame: str, ancestor: str, stamp_ns: int) -> np.ndarray:
        """T_ancestor_frame."""
        T_ancestor_frame = np.eye(4)
        while frame != ancestor:
            track = self._tracks[frame]
            T_ancestor_frame = track.at(stamp_ns, frame) @ T_ancestor_frame
            frame = track.parent
        return T_ancestor_frame


class TopicTransforms(TransformBuffer):
    """A TransformBuffer that subscribes to /tf_static and /tf."""

    def __init__(self, node: Node, on_refused: Callable[[str], None]):
        super().__init__(on_refused)
        self._node = node
        self._subscriptions = [
            node.create_subscription(TFMessage, "/tf_static", lambda message: self.add(message, True), TF_STATIC_QOS),
            node.create_subscription(TFMessage, "/tf", lambda message: self.add(message, False), TF_QOS),
        ]

    def close(self) -> None:
        """See TransformLookup."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []


class Tf2Transforms:
    """Transforms from tf2_ros."""

    def __init__(self, node: Node, on_refused: Callable[[str], None]):
        self.tree = tree = FrameTree(on_refused)

        class Listener(tf2_ros.TransformListener):
            """Its buffer does not tell the parent of a frame, and logs a refusal for every message."""

            def callback(self, data: TFMessage) -> None:
                super().callback(TFMessage(transforms=tree.add(data, is_static=False)))

            def static_callback(self, data: TFMessage) -> None:
                super().static_callback(TFMessage(transforms=tree.add(data, is_static=True)))

        self._buffer = tf2_ros.Buffer(cache_time=Duration(seconds=CACHE_SECONDS))
        self._listener = Listener(self._buffer, node)
        self._newest_ns = 0

    def lookup(self, target: str, source: str, stamp_ns: int, timeout: float) -> np.ndarray:
        """See TransformLookup."""
        if stamp_ns and stamp_ns < self._newest_ns - CACHE_SECONDS * 1e9:  # time went back: a bag that loops
            self._buffer.clear()  # tf2 ignores transforms older than its history; static ones stay
            self._newest_ns = 0
        self._newest_ns = max(self._newest_ns, stamp_ns)
        try:
            found = self._buffer.lookup_transform(
                target.lstrip("/"),
                source.lstrip("/"),
                Time(nanoseconds=stamp_ns),
                Duration(seconds=timeout),
            )
        except (tf2_ros.LookupException, tf2_ros.ConnectivityException) as error:
            reason = one_line(error)
            raise TransformError(f"no transform connects {source!r} with {target!r}: publish one ({reason})") from None
        except tf2_ros.TransformException as error:
            raise TransformError(one_line(error)) from None
        return matrix_from_transform(found.transform)

    def close(self) -> None:
        """See TransformLookup."""
        self._listener.unregister()


class SharedTransforms:
    """A node's look-up of transforms for one of its users: rclpy spends most of a busy robot's TF on unpacking it, and
    that is needed once."""

    def __init__(self, node: Node, on_refused: Callable[[str], None]):
        shared = _shared.get(node)
        if shared is None:
            shared = _shared[node] = _Shared(node)
        self._shared, self._node, self._on_refused, self._is_open = shared, node, on_refused, True
        shared.users.append(on_refused)

    @property
    def tree(self) -> FrameTree:
        """See TransformLookup."""
        return self._shared.lookup.tree

    def lookup(self, target: str, source: str, stamp_ns: int, timeout: float) -> np.ndarray:
        """See TransformLookup."""
        return self._shared.lookup.lookup(target, source, stamp_ns, timeout)

    def close(self) -> None:
        """See TransformLookup; the subscriptions end with the last user."""
        if not self._is_open:
            return
        self._is_open = False
        self._shared.users.remove(self._on_refused)
        if not self._shared.users:
            del _shared[self._node]
            self._shared.lookup.close()


class _Shared:
    """What the users of one node's transforms have in common."""

    def __init__(self, node: Node):
        self.users: list[Callable[[str], None]] = []
        kind = Tf2Transforms if tf2_ros is not None else TopicTransforms
        self.lookup: TransformLookup = kind(node, self._tell)

    def _tell(self, line: str) -> None:
        for user in dict.fromkeys(self.users):
            user(line)


_shared: WeakKeyDictionary[Node, _Shared] = WeakKeyDictionary()


def create_transform_lookup(node: Node, on_refused: Callable[[str], None] | None = None) -> TransformLookup:
    """Transforms from tf2_ros if it is installed, else from our own buffer; all users of a node share one.

    on_refused: see TransformBuffer; by default the line is logged.
    """
    return SharedTransforms(node, on_refused or node_log(node).warnings("transform message"))
