# SPDX-License-Identifier: Apache-2.0
"""From image messages to frames: which images of a camera are processed, and how they are decoded."""

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from monodepth_ros.data.calibration import read_intrinsics
from monodepth_ros.data.image_codec import Pixels
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.ros.live import counters
from monodepth_ros.ros.live.camera_input import CameraInput
from monodepth_ros.ros.live.counters import FrameCounters
from monodepth_ros.ros.live.outputs import topic_prefix
from monodepth_ros.ros.live.problems import Problems
from monodepth_ros.ros.live.rate_limit import RateLimit
from monodepth_ros.ros.middleware_profile import large_message_remedy
from monodepth_ros.stamps import nanoseconds

# A stamp this far from the node's clock [s] comes from another clock (a recording), so it has no age.
FOREIGN_CLOCK = 60.0


class Arrival(NamedTuple):
    """An image message, its time of arrival (steady clock [s]), and its age on the node's clock ([ms], or NaN)."""

    message: Image | CompressedImage
    time: float
    transport_ms: float

    @property
    def header(self) -> Header:
        return self.message.header

    @property
    def stamp_ns(self) -> int:
        return nanoseconds(self.message.header.stamp)


class FrameIntake:
    """One camera's subscriptions while open, and the choice of the images to process.

    Counts every image that it does not let pass. Raises CalibrationError for a calibration file that cannot be read.
    """

    def __init__(self, node, camera: str, config: NodeConfig, counts: FrameCounters, problems: Problems):
        self._node = node
        self._camera = camera
        self._config = config
        self._counts = counts
        self._problems = problems
        self._calibration = read_intrinsics(config.calibration_file) if config.calibration_file else None
        self._input: CameraInput | None = None
        self._limit = RateLimit()
        self._last_stamp_ns = 0
        self._uncalibrated_since: float | None = None

    def open(self, submit: Callable[[Arrival], None]) -> None:
        """Subscribe; arrivals go to `submit`, which must return at once."""

        def receive(message: Image | CompressedImage) -> None:
            self._counts.count(counters.RECEIVED)
            arrival = self._arrival(message)
            if self._config.enabled and self._limit.admits(arrival.time, self._config.max_rate):
                submit(arrival)
            else:
                self._counts.count(counters.UNWANTED)

        self._input = CameraInput(self._node, self._camera, self._config, self._calibration, receive, self._note_lost)

    def _note_lost(self, number: int) -> None:
        self._counts.count(counters.LOST, number)
        lost = self._counts.counts()[counters.LOST]
        self._problems.note(
            "lost",
            f"{lost} images of {self.image_topic} got lost on the way so far: {large_message_remedy()} "
            "(docs/integration/image_transport.md)",
        )

    def unsubscribe(self) -> None:
        """Release the subscriptions; images that have arrived can still be decoded."""
        if self._input is not None:
            self._input.close()

    def close(self) -> None:
        """Release the subscriptions and forget the last stamp."""
        self.unsubscribe()
        self._input = None
        self._last_stamp_ns = 0

    def configure(self, config: NodeConfig) -> None:
        """Take over live settings."""
        self._config = config

    @property
    def image_topic(self) -> str:
        """Name of the subscribed image topic; empty while closed."""
        return self._input.topics.image if self._input is not None else ""

    @property
    def description(self) -> str:
        """The subscribed image topic, its transport and why it is that one; empty while closed."""
        return str(self._input.topics) if self._input is not None else ""

    @property
    def info_topic(self) -> str:
        """Name of the subscribed camera_info topic; empty while closed."""
        return self._input.topics.info if self._input is not None else ""

    @property
    def camera_info(self) -> CameraInfo | None:
        """The newest camera_info; None before the first one and while closed."""
        return self._input.camera_info if self._input is not None else None

    def silence(self) -> str:
        """Why no image comes, and what to do; empty if images come or the intake is closed."""
        return self._input.silence(self._config.no_image_timeout) if self._input is not None else ""

    def accepts(self, arrival: Arrival) -> bool:
        """Whether an image is to be processed: not a repetition, and not one that waits for its camera_info."""
        if arrival.stamp_ns != 0 and arrival.stamp_ns == self._last_stamp_ns:
            self._counts.count(counters.DUPLICATE)
            return False
        return self._input is not None and not self._waits_for_calibration(self._input)

    def decode(self, arrival: Arrival) -> tuple[Pixels, CameraModel]:
        """Pixels and camera model of an accepted image; raises ImageError or CalibrationError."""
        pixels = self._input.decode(arrival.message)
        camera = self._input.camera_for(pixels)
        if not camera.is_calibrated:
            self._note_missing_calibration(self._input, camera)
        if self._input.calibration_warning:
            self._problems.note("calibration", self._input.calibration_warning)
        return pixels, camera

    def _note_missing_calibration(self, camera_input: CameraInput, camera: CameraModel) -> None:
        """Warn about an image that is processed by a guess of its camera."""
        topic = camera_input.topics.info
        found = f"no camera_info on {topic}"
        remedy = f"remap with {topic_prefix(self._camera)}camera_info:=/your/topic, "
        if camera_input.has_calibration:
            found, remedy = f"{topic} holds no calibration (K[0] is 0)", ""
        self._problems.note(
            "camera_info",
            f"{found}: assuming a horizontal field of view of {camera.field_of_view:.0f} degrees (image.field_of_view),"
            f" and lengths are in network units, not metres; publish its calibration, {remedy}or set calibration_file"
            " (`monodepth calibrate RECORDING` makes one)",
        )

    def note_processed(self, stamp_ns: int) -> None:
        """Treat further images of this stamp as repetitions."""
        self._last_stamp_ns = stamp_ns

    def _arrival(self, message: Image | CompressedImage) -> Arrival:
        age = (self._node.get_clock().now().nanoseconds - nanoseconds(message.header.stamp)) * 1e-9
        transport_ms = 1e3 * age if 0.0 <= age < FOREIGN_CLOCK else math.nan
        return Arrival(message, time.perf_counter(), transport_ms)

    def _waits_for_calibration(self, camera_input: CameraInput) -> bool:
        """Whether to drop the frame because camera_info may still come."""
        if camera_input.has_calibration:
            self._uncalibrated_since = None
            return False
        now = time.monotonic()
        self._uncalibrated_since = self._uncalibrated_since or now
        if now - self._uncalibrated_since < self._config.camera_info_timeout:
            self._counts.count(counters.UNCALIBRATED)
            return True
        return False
