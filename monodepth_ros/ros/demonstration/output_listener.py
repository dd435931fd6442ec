# SPDX-License-Identifier: Apache-2.0
"""A subscriber of all the depth node's outputs."""

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
    """Arrival times (steady clock [s]) by topic and stamp [ns], message counts, and some messages.

    input_topic: the node's input, to which it listens as well if given; latency is the time between the arrivals of
    input and output here. topics: the OUTPUTS to listen to. keep: stamp [ns] -> whether to keep that frame's messages.
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
        """Time [ms] from the arrival of the input to that of this output, for every frame that has both."""
        inputs = self.arrivals[self.input_topic]
        return [1e3 * (t - inputs[stamp]) for stamp, t in self.arrivals[topic].items() if stamp in inputs]


def stamp_of(header) -> int:
    """Nanoseconds of a std_msgs/Header."""
    return nanoseconds(header.stamp)


def _stamp(message) -> int:
    if isinstance(message, TFMessage):
        return stamp_of(message.transforms[0].header) if message.transforms else 0
    return stamp_of(message.header)
