# SPDX-License-Identifier: Apache-2.0
"""A client that takes messages and does nothing with them: {"topics": [...]} on standard input, {} once it listens."""

import json
import sys
import threading

import rclpy
from rclpy.executors import SingleThreadedExecutor

from monodepth_ros.ros.demonstration.output_listener import OUTPUTS, RELIABLE


def main() -> None:
    """Listen until standard input ends."""
    rclpy.init()
    node = rclpy.create_node("bench_sink")
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    for line in sys.stdin:
        for topic in json.loads(line)["topics"]:
            node.create_subscription(OUTPUTS[topic], topic, lambda message: None, RELIABLE)
        print("{}", flush=True)
    executor.shutdown()
    thread.join(2.0)
    node.destroy_node()
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
