# SPDX-License-Identifier: Apache-2.0
"""The benchmark's client: records the arrival of a node's outputs, in another process than the node's."""

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
    """Subscriber of topics of a node and of its status, which spins in a thread of its own.

    receipts: topic -> stamp [ns] -> wall clock [ns] in the callback with the deserialised message. statuses: stamp [ns]
    -> DepthStatus, in the order of arrival.
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
        """Receipts of the first topic: stamp [ns] -> wall clock [ns]."""
        return self.receipts[self.topics[0]]

    def count_nodes(self) -> int:
        """Number of publishers of the first topic in this ROS domain."""
        return self._node.count_publishers(self.topics[0])

    def last_status(self) -> DepthStatus:
        """The newest status."""
        return next(reversed(self.statuses.values()))

    def bring_up(self, check: Callable[[], None]) -> dict[str, float]:
        """Wait for the depth node, configure and activate it.

        Returns the wall clock [s] at the request ("asked") and after each transition ("configured", "active"). check:
        called while waiting; it may raise. Raises BenchError if a transition fails.
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
                raise BenchError("the node did not start: see its log above")
            times[name] = time.time()
        return times

    def wait_for(self, stamp_ns: int, topics: list[str], quiet: float = 5.0, settle: float = 0.2) -> None:
        """Wait until these topics have arrived for a stamp, or until none has arrived for `quiet` [s].

        settle: additional time for the other topics [s].
        """
        seen, since = -1, time.monotonic()
        while any(stamp_ns not in self.receipts[topic] for topic in topics) and time.monotonic() - since < quiet:
            count = sum(len(self.receipts[topic]) for topic in topics)
            if count != seen:
                seen, since = count, time.monotonic()
            time.sleep(0.02)
        time.sleep(settle)
