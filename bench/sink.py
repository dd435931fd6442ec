# SPDX-License-Identifier: Apache-2.0
"""A client that receives messages and ignores them. {"topics": [...]} is answered once it has subscribed."""

import threading

import rclpy
from rclpy.executors import SingleThreadedExecutor

from bench.worker import answer, questions
from monodepth_ros.ros.demonstration.output_listener import OUTPUTS, RELIABLE


def main() -> None:
    """Receive messages until standard input ends."""
    rclpy.init()
    node = rclpy.create_node("bench_sink")
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    for question in questions():
        for topic in question["topics"]:
            node.create_subscription(OUTPUTS[topic], topic, lambda message: None, RELIABLE)
        answer({})
    executor.shutdown()
    thread.join(2.0)
    node.destroy_node()
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
