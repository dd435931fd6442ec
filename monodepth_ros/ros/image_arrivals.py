# SPDX-License-Identifier: Apache-2.0
"""How many images of another process of this machine arrive through the middleware."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import rclpy
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from monodepth_ros.errors import MonodepthError

SENDER = Path(__file__).with_name("image_sender.py")
# Images that wait for the receiver: this is about the way to it, and not about a receiver that is slow.
KEPT = 20


class ImageStream(NamedTuple):
    """Images (rgb8) to be sent: size [pixels], number, and rate [Hz]."""

    width: int
    height: int
    count: int
    rate: float


def arrivals(
    stream: ImageStream, reliable: bool, environment: Mapping[str, str] | None = None, python: str = ""
) -> tuple[int, int]:
    """Number of images that arrived, and of those that the middleware reported as lost.

    environment: of the sender, by default this process's. python: the sender's, by default this one. MonodepthError if
    the sender fails.
    """
    rclpy.init()
    node = rclpy.create_node(f"image_receiver_{os.getpid()}")
    topic = f"monodepth_images_{os.getpid()}"
    received, lost = [], [0]
    node.create_subscription(
        Image,
        topic,
        lambda message: received.append(message.header.stamp.sec),
        QoSProfile(
            depth=KEPT,
            history=HistoryPolicy.KEEP_LAST,
            reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        ),
        event_callbacks=SubscriptionEventCallbacks(message_lost=lambda event: lost.append(event.total_count)),
    )
    sender = subprocess.Popen([python or sys.executable, str(SENDER), topic, *map(str, stream)], env=environment)
    try:
        while sender.poll() is None:
            rclpy.spin_once(node, timeout_sec=0.1)
    finally:
        if sender.poll() is None:
            sender.kill()
        node.destroy_node()
        rclpy.try_shutdown()
    if sender.returncode:
        raise MonodepthError(f"the sender ended with {sender.returncode}")
    return len(received), lost[-1]
