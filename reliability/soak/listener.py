# SPDX-License-Identifier: Apache-2.0
"""The soak test's view of the node from outside: its outputs, whether they are sound, and its services."""

import threading
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TwistWithCovarianceStamped
from nav_msgs.msg import Odometry
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from bench.errors import BenchError
from monodepth_ros.limits import LONGEST_MESSAGE
from monodepth_ros.msg import DepthStatus
from monodepth_ros.ros.demonstration.output_listener import OUTPUTS
from monodepth_ros.stamps import nanoseconds

QOS = QoSProfile(depth=20, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE)
STATUS, DIAGNOSTICS = "depth/status", "/diagnostics"
TOPICS = {
    **OUTPUTS,
    "twist": TwistWithCovarianceStamped,
    "depth/ground": Image,
    "odom/correspondences": Image,
}
# /tf has the camera's messages too.
KEPT = (STATUS, DIAGNOSTICS)
SERVICE_SECONDS = 60.0


class Listener:
    """Subscriber of every output of the node, which spins in a thread of its own.

    counts: messages by topic. unsound: what was wrong in outputs, in words, with its number.
    """

    def __init__(self):
        self._node = rclpy.create_node("soak_listener")
        self.counts: Counter[str] = Counter()
        self.unsound: Counter[str] = Counter()
        self.statuses: dict[int, DepthStatus] = {}
        self.diagnosed: dict[str, str] = {}
        self._subscriptions: dict[str, object] = {}
        self._clients: dict[str, object] = {}
        for topic in TOPICS:
            self.subscribe(topic)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()

    def subscribe(self, topic: str) -> None:
        """Subscribe to a topic of TOPICS."""
        take = {STATUS: self._take_status, DIAGNOSTICS: self._take_diagnostics, "odom": self._take_odometry}.get(topic)

        # Large messages that nobody looks into are not parsed: that costs more than the node spends on them.
        def receive(message) -> None:
            self.counts[topic] += 1
            if take is not None:
                take(message)

        self._subscriptions[topic] = self._node.create_subscription(
            TOPICS[topic], topic, receive, QOS, raw=take is None
        )

    def unsubscribe(self, topic: str) -> None:
        """Release a subscription."""
        self._node.destroy_subscription(self._subscriptions.pop(topic))

    def run(self, function: Callable[[], None]) -> None:
        """Run a function on the thread that spins, where subscriptions may change."""
        task = self._executor.create_task(function)
        while not task.done():
            time.sleep(0.005)

    def _take_status(self, status: DepthStatus) -> None:
        self.statuses[nanoseconds(status.header.stamp)] = status
        while len(self.statuses) > 100:
            self.statuses.pop(next(iter(self.statuses)))

    def _take_odometry(self, odometry: Odometry) -> None:
        pose, twist = odometry.pose, odometry.twist
        place, turn = pose.pose.position, pose.pose.orientation
        numbers = (place.x, place.y, place.z, turn.x, turn.y, turn.z, turn.w, *pose.covariance, *twist.covariance)
        if not np.isfinite(numbers).all():
            self.unsound["odometry with a number that is not finite"] += 1
        if abs(np.linalg.norm((turn.x, turn.y, turn.z, turn.w)) - 1.0) > 1e-6:
            self.unsound["odometry with a quaternion that is not of length 1"] += 1

    def _take_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            texts = [status.name, *(text for pair in status.values for text in (pair.key, pair.value))]
            texts += status.message.splitlines() or [""]
            odd = [text for text in texts if not text.isprintable() or len(text) > 2 * LONGEST_MESSAGE]
            if odd:
                what = f"of {len(odd[0])} characters" if odd[0].isprintable() else repr(odd[0][:200])
                self.unsound[f"diagnostics with a text that is too long or cannot be printed: {what}"] += 1
            if "camera" in status.name:
                self.diagnosed = {pair.key: pair.value for pair in status.values}

    def status_of(self, stamp_ns: int, seconds: float = 10.0) -> DepthStatus | None:
        """The status of an image; None if it does not come."""
        deadline = time.monotonic() + seconds
        while stamp_ns not in self.statuses and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.statuses.get(stamp_ns)

    def call(self, service_type, name: str, request, seconds: float = SERVICE_SECONDS):
        """The answer of a service of the node. Raises BenchError if none comes."""
        client = self._clients.get(name)
        if client is None:
            client = self._clients[name] = self._node.create_client(service_type, f"depth_node/{name}")
        if not client.wait_for_service(seconds):
            raise BenchError(f"the node's service {name} does not appear")
        future = client.call_async(request)
        deadline = time.monotonic() + seconds
        while not future.done():
            if time.monotonic() > deadline:
                raise BenchError(f"no answer from the node's service {name} within {seconds:.0f} s")
            time.sleep(0.005)
        return future.result()

    def close(self) -> None:
        """Stop spinning."""
        self._executor.shutdown()
        self._thread.join(2.0)
        self._node.destroy_node()
        rclpy.try_shutdown()
