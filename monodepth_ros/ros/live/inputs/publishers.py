# SPDX-License-Identifier: Apache-2.0
"""Who publishes a topic."""

import time
from collections import Counter

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSCompatibility, QoSProfile, ReliabilityPolicy, qos_check_compatible
from rclpy.topic_endpoint_info import TopicEndpointInfo

# Time after which the publishers are asked for again although their number is the same [s].
REFRESH_PERIOD = 0.5
# The name of a publisher's node becomes known after the publisher; of one that is no ROS node, never. Time to wait [s].
NAME_PERIOD = 3.0
_UNKNOWN = "_NODE_NAME_UNKNOWN_"


class Publishers:
    """The publishers of one topic that have one message type. Cheap enough to ask for every message."""

    def __init__(self, node: Node, topic: str, message_type: str):
        self.topic = topic
        self._node = node
        self._type = message_type
        self._found: list[TopicEndpointInfo] = []
        self._of_any_type = 0
        self._refreshed = -REFRESH_PERIOD
        self._changed = time.monotonic()

    @property
    def count(self) -> int:
        """Number of publishers now."""
        return len(self._current())

    @property
    def nodes(self) -> str:
        """The publishers' nodes in words, such as "/left and /right"."""
        names = Counter(node_name(found) for found in self._current())
        words = [name if times == 1 else f"{name} ({times} times)" for name, times in sorted(names.items())]
        return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)

    @property
    def are_named(self) -> bool:
        """Whether the names of the publishers' nodes are known, or will not be."""
        is_unknown = any(found.node_name == _UNKNOWN for found in self._current())
        return not is_unknown or time.monotonic() - self._changed >= NAME_PERIOD

    @property
    def has_latched(self) -> bool:
        """Whether a publisher keeps its last message for subscribers to come (transient_local)."""
        return any(found.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL for found in self._current())

    @property
    def are_reliable(self) -> bool:
        """Whether there are publishers, and all of them offer reliable delivery."""
        found = [one.qos_profile.reliability for one in self._current()]
        return bool(found) and all(reliability == ReliabilityPolicy.RELIABLE for reliability in found)

    def reason_against(self, qos: QoSProfile) -> str:
        """Why nothing can arrive at a subscription of this QoS; empty unless that holds for every publisher."""
        reasons = [qos_check_compatible(found.qos_profile, qos) for found in self._current()]
        if not reasons or any(compatibility != QoSCompatibility.ERROR for compatibility, _ in reasons):
            return ""
        return " ".join(reasons[0][1].split()).rstrip(";. ")

    def _current(self) -> list[TopicEndpointInfo]:
        now, of_any_type = time.monotonic(), self._node.count_publishers(self.topic)
        if of_any_type != self._of_any_type:
            self._changed = now
        if of_any_type != self._of_any_type or now - self._refreshed >= REFRESH_PERIOD:
            self._of_any_type, self._refreshed = of_any_type, now
            infos = self._node.get_publishers_info_by_topic(self.topic)
            self._found = [info for info in infos if info.topic_type == self._type]
        return self._found


def node_name(found: TopicEndpointInfo) -> str:
    """The full name of an endpoint's node."""
    return (
        "a node without a name"
        if found.node_name == _UNKNOWN
        else f"{found.node_namespace.rstrip('/')}/{found.node_name}"
    )
