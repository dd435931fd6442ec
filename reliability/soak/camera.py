# SPDX-License-Identifier: Apache-2.0
"""The soak test's camera: a process that publishes good and faulty messages on request, and counts its images.

Questions and answers are lines of JSON; `sent` in an answer is the number of images published for it.

{"do": "connect", "images": n, "seconds": s}: publish until the node has answered several images in a row, n at most.
{"do": "good", "count": n, "seconds": s}: publish good images, each when the one before is answered or s seconds later.
{"do": "blind", "count": n, "rate": Hz}: publish good images without waiting for answers.
{"do": "fault", "name": ..., "seed": ..., "count": n}: publish one of the faults of message_faults.py.
"""

import argparse
import random
import time
from pathlib import Path

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, Imu
from tf2_msgs.msg import TFMessage

from bench.worker import answer, questions
from monodepth_ros.msg import DepthStatus
from monodepth_ros.stamps import nanoseconds
from reliability.soak.message_faults import FAULTS
from reliability.soak.messages import BASE, FRAME, OPTICAL, calibration, gyro, image, transform
from reliability.soak.scenery import Scenery

# As in image_transport; a best-effort subscription is served best-effort.
QOS = QoSProfile(depth=5, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE)
MANY = QoSProfile(depth=500, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE)
LATCHED = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
STREAK = 5  # images answered in a row after which depth counts as coming again
KEPT = 1000  # stamps of answered images
NEVER = -1  # a stamp that no image has [ns]
SAMPLES = 4  # of the gyro for each image


class Camera:
    """Publishers of a camera, a gyro and TF, and the stamps of the images that the node has answered."""

    def __init__(self, scenery: Scenery):
        self.scenery = scenery
        self.node = rclpy.create_node("soak_camera")
        create = self.node.create_publisher
        self.images, self.infos = create(Image, "image", QOS), create(CameraInfo, "camera_info", QOS)
        self.gyro, self.tf = create(Imu, "imu", MANY), create(TFMessage, "/tf", MANY)
        self.tf_static = create(TFMessage, "/tf_static", LATCHED)
        self.node.create_subscription(DepthStatus, "depth/status", self._take, MANY)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self.sent, self._last_ns = 0, 0
        self._answered: dict[int, None] = {}  # stamps [ns], the newest last
        self.place_camera()

    def place_camera(self) -> None:
        """Publish the camera's place on the robot on /tf_static."""
        mount = transform(BASE, FRAME, time.time_ns(), place=(0.2, 0.0, 1.2), turn=OPTICAL)
        self.tf_static.publish(TFMessage(transforms=[mount]))

    def _take(self, status: DepthStatus) -> None:
        self._answered[nanoseconds(status.header.stamp)] = None
        if len(self._answered) > KEPT:
            self._answered.pop(next(iter(self._answered)))

    def stamp(self) -> int:
        """A stamp [ns] of this moment, later than the last one."""
        self._last_ns = max(time.time_ns(), self._last_ns + 1000)
        return self._last_ns

    def publish(self, message: Image) -> None:
        """Publish an image and count it."""
        self.images.publish(message)
        self.sent += 1

    def publish_good(self) -> int:
        """Publish gyro, calibration and a good image; its stamp [ns]."""
        before, stamp_ns = self._last_ns, self.stamp()
        data, turn = self.scenery.next()
        seconds = (stamp_ns - before) * 1e-9
        if seconds < 1.0:
            for part in range(1, SAMPLES + 1):
                self.gyro.publish(gyro(before + (stamp_ns - before) * part // SAMPLES, tuple(turn / seconds)))
        self.infos.publish(calibration(stamp_ns))
        self.publish(image(data, stamp_ns))
        return stamp_ns

    def picture(self, stamp_ns: int, frame: str = FRAME) -> Image:
        """The next image, for a fault."""
        return image(self.scenery.next()[0], stamp_ns, frame)

    def is_answered(self, stamp_ns: int, seconds: float) -> bool:
        """Wait for the status of an image, at most for so long."""
        deadline = time.monotonic() + seconds
        while stamp_ns not in self._answered and time.monotonic() < deadline:
            self._executor.spin_once(timeout_sec=max(0.0, deadline - time.monotonic()))
        return stamp_ns in self._answered

    def good(self, count: int, seconds: float, rate: float = 0.0) -> dict:
        """Publish good images, each when the one before is answered."""
        answered = 0
        for _ in range(count):
            began = time.monotonic()
            answered += self.is_answered(self.publish_good(), seconds)
            if rate:
                time.sleep(max(0.0, began + 1.0 / rate - time.monotonic()))
        return {"answered": answered, "last_ns": self._last_ns}

    def connect(self, images: int, seconds: float) -> dict:
        """Publish good images until several in a row are answered.

        images: largest number without an answer. seconds: longest wait for an answer. Returns the time and the number
        of images until the first of these [s], and the stamp of the last one [ns].
        """
        began, streak, tried, first = time.monotonic(), 0, 0, (0.0, 0)
        last_ns = 0
        while streak < STREAK and tried - streak < images:
            tried += 1
            stamp_ns = self.publish_good()
            if self.is_answered(stamp_ns, seconds):
                first = first if streak else (time.monotonic() - began, tried)
                streak, last_ns = streak + 1, stamp_ns
            else:
                streak = 0
        return {"back": streak >= STREAK, "seconds": first[0], "images": first[1], "last_ns": last_ns}

    def blind(self, count: int, rate: float) -> dict:
        """Publish good images in the rhythm of a camera, whether the node answers or not."""
        for _ in range(count):
            self.publish_good()
            self.wait(1.0 / rate)
        return {}

    def wait(self, seconds: float) -> None:
        """Let time pass, taking the node's answers."""
        self.is_answered(NEVER, seconds)

    def fault(self, name: str, seed: int, count: int) -> dict:
        """Publish a fault, a number of times."""
        FAULTS[name](self, random.Random(seed), np.random.default_rng(seed), count)
        return {}


def main() -> None:
    """Answer questions until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenery", type=Path, required=True)
    options = parser.parse_args()
    rclpy.init()
    camera = Camera(Scenery(options.scenery))
    answer({"ready": True})
    for question in questions():
        before = camera.sent
        found = getattr(camera, question.pop("do"))(**question)
        answer({**found, "sent": camera.sent - before})
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
