# SPDX-License-Identifier: Apache-2.0
"""The client of the demonstration: an OutputListener that spins in a thread of this process."""

import subprocess
import sys
import threading
import time

import rclpy
from rclpy.executors import SingleThreadedExecutor

from monodepth_ros.data.cameras.topics import ImageStream
from monodepth_ros.ros.demonstration.errors import DemoError
from monodepth_ros.ros.demonstration.output_listener import OutputListener
from monodepth_ros.ros.log_folder import with_usable_log

# Time [s] for the node to load its networks and for the player to begin.
START_TIMEOUT = 120.0
# Quiet time [s] after the last message before the demonstration is over.
SETTLE = 1.5
# Number of frames whose messages are kept, for the sheet and the depth error.
KEPT_FRAMES = 24


class DemoClient:
    """Listen to the node's outputs and to its input while the block lasts.

    stream: the camera of the recording. image_count: number of its images.
    """

    def __init__(self, stream: ImageStream, image_count: int):
        self._stream = stream
        self._every = max(1, image_count // KEPT_FRAMES)

    def __enter__(self) -> "DemoClient":
        rclpy.init(args=with_usable_log(sys.argv))
        self._node = rclpy.create_node("demo_client")
        self.listener = OutputListener(self._node, self._stream.image, self._stream.compressed, keep=self._keep)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown()
        self._thread.join(2.0)
        self._node.destroy_node()
        rclpy.try_shutdown()

    def _keep(self, stamp_ns: int) -> bool:
        """Whether this is one of the frames, evenly spaced, whose messages are kept."""
        inputs = self.listener.arrivals[self._stream.image]
        if stamp_ns not in inputs:
            return False
        return list(inputs).index(stamp_ns) % self._every == 0

    def wait_for_node(self, process: subprocess.Popen) -> None:
        """Wait until the node, like this client, has subscribed to the images; DemoError if it does not start."""
        deadline = time.monotonic() + START_TIMEOUT
        while self._node.count_subscribers(self._stream.image) < 2:
            if process.poll() is not None:
                raise DemoError("the node did not start; the reason is in its log above")
            if time.monotonic() > deadline:
                raise DemoError(f"the node was not ready within {START_TIMEOUT:.0f} s")
            time.sleep(0.05)

    def count_subscriptions(self, topics: list[str]) -> int:
        """Number of subscriptions that the player will have once it has discovered the node and this client."""
        # The node subscribes to the calibration right after the images.
        at_least = {self._stream.image: 2, self._stream.camera_info: 1}
        return sum(max(self._node.count_subscribers(topic), at_least.get(topic, 0)) for topic in topics)

    def wait_for_end(self, player: subprocess.Popen, timeout: float) -> None:
        """Wait until the player has ended and no more outputs come; DemoError if the player fails."""
        deadline = time.monotonic() + timeout
        while player.poll() is None:
            if time.monotonic() > deadline:
                raise DemoError("the player did not end in time")
            time.sleep(0.05)
        if player.returncode != 0:
            raise DemoError("the player failed; the reason is in its message above")
        quiet_since, seen = time.monotonic(), -1
        while time.monotonic() - quiet_since < SETTLE:
            total = sum(count for topic, count in self.listener.counts.items() if topic != "/diagnostics")
            if total != seen:
                quiet_since, seen = time.monotonic(), total
            time.sleep(0.05)
