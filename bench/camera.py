# SPDX-License-Identifier: Apache-2.0
"""The benchmark's camera: a process that publishes images and camera_info on request.

Questions and answers are lines of JSON. The first answer comes without a question: a description of the images.
{"count": n, "rate": hertz}: publish n images. {}: wait until a node has subscribed.
"""

import argparse
import itertools
import time

import rclpy
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from bench.images import image_sequence
from bench.worker import answer, questions
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.ros.live.outputs import camera_info

FRAME = "camera_optical"
# As in image_transport; a best-effort subscription is served best-effort.
QOS = QoSProfile(depth=5, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE)


class Camera:
    """Publisher of camera_info and of images (on image or image/compressed), forwards and backwards in turns."""

    def __init__(self, images: str, width: int, height: int, intrinsics: list[float], compressed: bool):
        self.sequence = image_sequence(images, width, height, compressed)
        self._node = rclpy.create_node("bench_camera")
        if compressed:
            self._message = CompressedImage(format="jpeg")
            self._images = self._node.create_publisher(CompressedImage, "image/compressed", QOS)
        else:
            self._message = Image(width=width, height=height, encoding="rgb8", step=3 * width)
            self._images = self._node.create_publisher(Image, "image", QOS)
        self._infos = self._node.create_publisher(CameraInfo, "camera_info", QOS)
        self._message.header.frame_id = FRAME
        model = CameraModel.from_normalized(width, height, tuple(intrinsics))
        self._info = camera_info(model, True, Header(frame_id=FRAME))
        # Forwards and backwards, because odometry would reject the jump from the last image to the first.
        self._payloads = itertools.cycle(self.sequence.payloads + self.sequence.payloads[-2:0:-1])

    def wait_for_node(self) -> None:
        """Wait until both topics have a subscription."""
        while not (self._images.get_subscription_count() and self._infos.get_subscription_count()):
            time.sleep(0.02)

    def publish(self) -> int:
        """Publish the next image and return its stamp [ns], the wall clock just before."""
        self._message.data = next(self._payloads)
        stamp_ns = time.time_ns()
        for message, publisher in ((self._info, self._infos), (self._message, self._images)):
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 1_000_000_000)
            publisher.publish(message)
        return stamp_ns

    def burst(self, count: int, rate: float) -> dict:
        """Publish `count` images at `rate` [Hz] and return their stamps [ns] and the largest delay [ms].

        As in a sensor, the rhythm continues after an image that was late; the following ones are not sent earlier.
        """
        period, stamps, worst = 1.0 / rate, [], 0.0
        due = time.perf_counter()
        for _ in range(count):
            time.sleep(max(0.0, due - time.perf_counter()))
            late = time.perf_counter() - due
            worst = max(worst, late)
            stamps.append(self.publish())
            due += period * (1 + int(late / period))
        return {"stamps": stamps, "worst_lateness_ms": 1e3 * worst}


def main() -> None:
    """Answer questions until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", required=True)
    parser.add_argument("--size", type=int, nargs=2, required=True)
    parser.add_argument("--intrinsics", type=float, nargs=4, required=True)
    parser.add_argument("--compressed", action="store_true")
    options = parser.parse_args()
    rclpy.init()
    camera = Camera(options.images, *options.size, options.intrinsics, options.compressed)
    sequence = camera.sequence
    answer({"images": sequence.description, "count": len(sequence.payloads), "mean_bytes": sequence.mean_bytes})
    for burst in questions():
        if burst:
            answer(camera.burst(**burst))
        else:
            camera.wait_for_node()
            answer({})
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
