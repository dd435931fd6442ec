# SPDX-License-Identifier: Apache-2.0
"""A client of the depth node: listens to every output, from its own process, as any subscriber would."""

import time
from collections import defaultdict

from diagnostic_msgs.msg import DiagnosticArray
from nav_msgs.msg import Odometry, Path
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from tf2_msgs.msg import TFMessage

from monodepth_ros.msg import DepthStatus
from monodepth_ros.stamps import nanoseconds

RELIABLE = QoSProfile(depth=10, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE)

OUTPUTS = {
    "depth/image": Image,
    "depth/camera_info": CameraInfo,
    "depth/color": Image,
    "depth/points": PointCloud2,
    "depth/status": DepthStatus,
    "rgb/image_rect": Image,
    "odom": Odometry,
    "path": Path,
    "/tf": TFMessage,
    "/diagnostics": DiagnosticArray,
}


class OutputListener:
    """Notes when each message came (steady clock, seconds) by topic and stamp [ns], and keeps the messages asked for.

    input_topic: if given, the node's input is listened to as well, so that latency is the time between the input's and
    the output's arrival here. topics: which of OUTPUTS to listen to. keep: stamp [ns] -> whether to keep its messages.
    """

    def __init__(self, node: Node, input_topic: str = "", compressed: bool = False, topics=tuple(OUTPUTS), keep=None):
        self._node = node
        self._keep = keep or (lambda stamp_ns: False)
        self.arrivals: dict[str, dict[int, float]] = defaultdict(dict)
        self.counts: dict[str, int] = defaultdict(int)
        self.kept: dict[int, dict[str, object]] = defaultdict(dict)
        self.last: dict[str, object] = {}
        self.input_topic = input_topic
        self.subscriptions = [
            node.create_subscription(OUTPUTS[topic], topic, self._taker(topic), RELIABLE) for topic in topics
        ]
        if input_topic:
            kind = CompressedImage if compressed else Image
            self.subscriptions.append(node.create_subscription(kind, input_topic, self._taker(input_topic), RELIABLE))

    def _taker(self, topic: str):
        def take(message) -> None:
            now = time.perf_counter()
            stamp_ns = _stamp(message)
            self.counts[topic] += 1
            self.arrivals[topic].setdefault(stamp_ns, now)
            self.last[topic] = message
            if self._keep(stamp_ns):
                self.kept[stamp_ns][topic] = message

        return take

    def latencies_ms(self, topic: str) -> list[float]:
        """Time from the input's arrival to this output's, for every frame that produced it."""
        inputs = self.arrivals[self.input_topic]
        return [1e3 * (t - inputs[stamp]) for stamp, t in self.arrivals[topic].items() if stamp in inputs]


def stamp_of(header) -> int:
    """Nanoseconds of a std_msgs/Header."""
    return nanoseconds(header.stamp)


def _stamp(message) -> int:
    if isinstance(message, TFMessage):
        return stamp_of(message.transforms[0].header) if message.transforms else 0
    return stamp_of(message.header)
