# SPDX-License-Identifier: Apache-2.0
"""The camera driver of `scripts/bench loss`: publishes images to whoever has subscribed. Needs rclpy alone.

Arguments: width, height, number of images, rate [Hz].
"""

import sys
import time
from array import array

import rclpy
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

DISCOVERY = 1.0  # time after the first subscription [s]


def main() -> None:
    """Wait for a subscription, then publish."""
    width, height, count, rate = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    rclpy.init()
    node = rclpy.create_node("bench_sender")
    # As in image_transport; a best-effort subscription is served best-effort.
    qos = QoSProfile(depth=5, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE)
    images = node.create_publisher(Image, "bench_image", qos)
    message = Image(width=width, height=height, encoding="rgb8", step=3 * width)
    message.data = array("B", bytes(3 * width * height))
    deadline = time.monotonic() + 30.0
    while not images.get_subscription_count() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(DISCOVERY)
    due = time.perf_counter()
    for number in range(1, count + 1):
        time.sleep(max(0.0, due - time.perf_counter()))
        due += 1.0 / rate
        message.header.stamp.sec = number
        images.publish(message)
    time.sleep(2.0)
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
