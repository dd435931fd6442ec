# SPDX-License-Identifier: Apache-2.0
"""The benchmark's client: notes when a node's outputs arrive, in a process that is not the node's."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable

import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.executors import SingleThreadedExecutor

from bench.errors import BenchError
from monodepth_ros.msg import DepthStatus
from monodepth_ros.ros.demonstration.output_listener import OUTPUTS, RELIABLE
from monodepth_ros.stamps import nanoseconds

STATUS = "depth/status"


class Client:
    """Subscribes to topics of a node and to its status; spins in a thread of its own.

    receipts: topic -> stamp [ns] -> wall clock [ns] in the callback, when the deserialised message is at hand.
    statuses: stamp [ns] -> DepthStatus, in the order of arrival.
    """

    def __init__(self, topics: list[str]):
        rclpy.init()
        self._node = rclpy.create_node("bench_client")
        self.receipts: dict[str, dict[int, int]] = defaultdict(dict)
        self.statuses: dict[int, DepthStatus] = {}
        self.topics = topics
        for topic in dict.fromkeys((*topics, STATUS)):
            self._node.create_subscription(OUTPUTS[topic], topic, self._taker(topic), RELIABLE)
        self._change_state = self._node.create_client(ChangeState, "depth_node/change_state")
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
            stamp_ns = nanoseconds(stamp)
            receipts.setdefault(stamp_ns, now)
            if isinstance(message, DepthStatus):
                self.statuses[stamp_ns] = message

        return take

    @property
    def first_receipts(self) -> dict[int, int]:
        """Of the first of the topics."""
        return self.receipts[self.topics[0]]

    def count_nodes(self) -> int:
        """How many nodes publish the first of the topics here."""
        return self._node.count_publishers(self.topics[0])

    def last_status(self) -> DepthStatus:
        """The newest status."""
        return next(reversed(self.statuses.values()))

    def bring_up(self, check: Callable[[], None]) -> dict[str, float]:
        """Configure and activate the depth node, once it is there; the wall clock [s] when asked and after each.

        `check` is called while waiting, and may raise. BenchError where the node refuses.
        """
        while not self._change_state.service_is_ready():
            check()
            time.sleep(0.02)
        times = {"asked": time.time()}
        for name, transition in (
            ("configured", Transition.TRANSITION_CONFIGURE),
            ("active", Transition.TRANSITION_ACTIVATE),
        ):
            request = ChangeState.Request(transition=Transition(id=transition))
            future = self._change_state.call_async(request)
            while not future.done():
                check()
                time.sleep(0.005)
            if not future.result().success:
                raise BenchError("the node did not start; its log above says why")
            times[name] = time.time()
        return times

    def wait_for(self, stamp_ns: int, topics: list[str], quiet: float = 5.0, settle: float = 0.2) -> None:
        """Until these topics came for that stamp, or nothing at all for `quiet` seconds; then `settle` for the rest."""
        seen, since = -1, time.monotonic()
        while any(stamp_ns not in self.receipts[topic] for topic in topics) and time.monotonic() - since < quiet:
            count = sum(len(self.receipts[topic]) for topic in topics)
            if count != seen:
                seen, since = count, time.monotonic()
            time.sleep(0.02)
        time.sleep(settle)
