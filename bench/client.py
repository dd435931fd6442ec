"""The benchmark's client: notes when the node's outputs arrive, in a process that is not the node's."""

import threading
import time
from collections import defaultdict

import rclpy
from rclpy.executors import SingleThreadedExecutor

from monodepth_ros.msg import DepthStatus
from monodepth_ros.ros.demonstration.output_listener import OUTPUTS, RELIABLE

STATUS = "depth/status"


class Client:
    """Subscribes to topics of the node and to its status; spins in a thread of its own.

    receipts: topic -> stamp [ns] -> wall clock [ns] in the callback, when the deserialised message is at hand.
    statuses: stamp [ns] -> DepthStatus, in the order of arrival.
    """

    def __init__(self, topics: list[str]):
        rclpy.init()
        self._node = rclpy.create_node("bench_client")
        self.receipts: dict[str, dict[int, int]] = defaultdict(dict)
        self.statuses: dict[int, DepthStatus] = {}
        for topic in dict.fromkeys((*topics, STATUS)):
            self._node.create_subscription(OUTPUTS[topic], topic, self._taker(topic), RELIABLE)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown()
        self._thread.join(2.0)
        self._node.destroy_node()
        rclpy.try_shutdown()

    def _taker(self, topic: str):
        receipts = self.receipts[topic]

        def take(message) -> None:
            now = time.time_ns()
            stamp = message.header.stamp if hasattr(message, "header") else message.transforms[0].header.stamp
            stamp_ns = stamp.sec * 1_000_000_000 + stamp.nanosec
            receipts.setdefault(stamp_ns, now)
            if isinstance(message, DepthStatus):
                self.statuses[stamp_ns] = message

        return take

    def count_nodes(self) -> int:
        """How many nodes publish a status here."""
        return self._node.count_publishers(STATUS)

    def last_status(self) -> DepthStatus:
        """The newest status."""
        return next(reversed(self.statuses.values()))

    def wait_for(self, stamp_ns: int, quiet: float = 5.0, settle: float = 0.2) -> None:
        """Until the status of that stamp came, or none at all for `quiet` seconds; then `settle` for the rest."""
        seen, since = -1, time.monotonic()
        while stamp_ns not in self.statuses and time.monotonic() - since < quiet:
            if len(self.statuses) != seen:
                seen, since = len(self.statuses), time.monotonic()
            time.sleep(0.02)
        time.sleep(settle)
