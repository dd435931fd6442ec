# SPDX-License-Identifier: Apache-2.0
"""A camera driver that publishes black images to whoever has subscribed, to see how many arrive. Needs rclpy alone, so
that the ROS of another Python can run it as a script.

Arguments: topic, width, height, number of images, rate [Hz].
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
    topic, (width, height, count), rate = sys.argv[1], map(int, sys.argv[2:5]), float(sys.argv[5])
    rclpy.init()
    node = rclpy.create_node("image_sender")
    # As in image_transport; a best-effort subscription is served best-effort.
    qos = QoSProfile(depth=5, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE)
    images = node.create_publisher(Image, topic, qos)
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
