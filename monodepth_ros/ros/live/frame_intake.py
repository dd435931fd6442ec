# SPDX-License-Identifier: Apache-2.0
"""From image messages to frames: which images of a camera are processed, and how they are decoded."""

import time
from collections.abc import Callable

from sensor_msgs.msg import CameraInfo

from monodepth_ros.data.images.image_codec import Pixels
from monodepth_ros.data.video_stream.decoder import BEFORE_KEY
from monodepth_ros.foreign_text import shown
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.ros.live import counters
from monodepth_ros.ros.live.counters import FrameCounters
from monodepth_ros.ros.live.inputs.camera_input import CameraInput, ImageMessage
from monodepth_ros.ros.live.inputs.given_calibration import GivenCalibration
from monodepth_ros.ros.live.inputs.image_flow import Arrival, ImageFlow
from monodepth_ros.ros.live.problems import Problems
from monodepth_ros.ros.live.rate_limit import RateLimit
from monodepth_ros.ros.middleware_profile import large_message_remedy
from monodepth_ros.ros.node_log import node_log

REPETITIONS = 5  # images of one stamp in a row that are a fault of the driver


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
        self._log = node_log(node).of_camera(camera)
        file = config.calibration_file
        self._calibration = GivenCalibration(file, config.image.rectified) if file else None
        self._input: CameraInput | None = None
        self._flow: ImageFlow | None = None
        self._frames: tuple[str, str] | None = None
        self._limit = RateLimit()
        self._last_stamp_ns = self._repeated = 0
        self._uncalibrated_since: float | None = None

    def open(self, submit: Callable[[Arrival], None]) -> None:
        """Subscribe; arrivals go to `submit`, which must return at once."""

        def receive(message: ImageMessage, number: int | None) -> None:
            self._counts.count(counters.RECEIVED)
            arrival = flow.admit(message, number)
            is_wanted = arrival is not None and self._config.enabled
            if is_wanted and self._limit.admits(arrival.time, self._config.max_rate):
                submit(arrival)
            else:
                self._counts.count(counters.UNWANTED)

        images = CameraInput(
            *(self._node, self._camera, self._config, self._calibration),
            on_image=receive,
            on_lost=self._note_lost,
            on_left_out=self._note_left_out,
        )
        flow = ImageFlow(self._node, lambda: images.images, images.calibration.fit, self._problems)
        self._input, self._flow = images, flow

    def _note_lost(self, number: int) -> None:
        self._counts.count(counters.LOST, number)
        lost = self._counts.counts()[counters.LOST]
        self._problems.note(
            "lost",
            f"{lost} images of {self.image_topic} got lost on the way so far: {large_message_remedy()} "
            "(docs/integration/image_transport.md)",
        )

    def _note_left_out(self, number: int, reason: str) -> None:
        """Count packets of video without a picture; without a reason newer ones have replaced them."""
        self._counts.count(counters.RECEIVED, number)
        self._counts.count(counters.INVALID if reason else counters.REPLACED, number)
        is_beginning = reason.endswith(BEFORE_KEY)
        if is_beginning:
            reason += ": depth begins with one; let the encoder send them at least every second"
        if reason:
            self._problems.note("video", f"{self.image_topic}: {reason}", is_error=not is_beginning)

    def unsubscribe(self) -> None:
        """Release the subscriptions; images that have arrived can still be decoded."""
        if self._input is not None:
            self._input.close()

    def close(self) -> None:
        """Release the subscriptions and forget the last stamp."""
        self.unsubscribe()
        self._input = self._flow = None
        self._last_stamp_ns = self._repeated = 0

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
        return self._input.calibration.newest_info if self._input is not None else None

    @property
    def left_out(self) -> int:
        """Number of images of other cameras on the same topic, which are not processed."""
        return self._flow.left_out if self._flow is not None else 0

    def note_publishers(self) -> None:
        """Note as problems several cameras on the topics. Call it periodically."""
        if self._input is None or self._flow is None:
            return
        self._flow.note_senders()
        infos, conflict = self._input.infos, self._input.calibration.conflict
        if self._input.calibration.is_fixed or (infos.count < 2 and not conflict) or not infos.are_named:
            return
        found = f"{infos.topic} carries calibrations of several cameras"
        if infos.count > 1:
            found = f"{infos.count} nodes publish {infos.topic}: {infos.nodes}"
        used = f"; {conflict}" if conflict else ""
        self._problems.note("infos", f"{found}{used}; stop all but one, or remap their topics", is_lasting=True)

    def silence(self) -> str:
        """Why no image comes, and what to do; empty if images come or the intake is closed."""
        return self._input.silence(self._config.no_image_timeout) if self._input is not None else ""

    def accepts(self, arrival: Arrival) -> bool:
        """Whether an image is to be processed: not a repetition, and not one that waits for its camera_info."""
        if arrival.stamp_ns != 0 and arrival.stamp_ns == self._last_stamp_ns:
            self._counts.count(counters.DUPLICATE)
            self._note_repetition(arrival.stamp_ns)
            return False
        self._repeated = 0
        if self._input is None:  # just deactivated
            self._counts.count(counters.UNWANTED)
            return False
        return not self._waits_for_calibration(self._input)

    def decode(self, arrival: Arrival) -> tuple[Pixels, CameraModel]:
        """Pixels and camera model of an accepted image; raises ImageError or CalibrationError."""
        pixels = self._input.decode(arrival.message)
        calibration, frame_id = self._input.calibration, arrival.header.frame_id
        camera = calibration.camera_for(pixels, frame_id)
        if not camera.is_calibrated:
            self._note_missing_calibration(self._input, camera)
        elif calibration.newest_info is not None:
            self._log_frames(frame_id, calibration.newest_info.header.frame_id)
        if calibration.warning:
            self._problems.note("calibration", calibration.warning)
        return pixels, camera

    def _note_missing_calibration(self, camera_input: CameraInput, camera: CameraModel) -> None:
        """Warn about an image that is processed by a guess of its camera."""
        found, remedy = f"{camera_input.topics.info} holds no calibration (K[0] is 0)", ""
        if not camera_input.calibration.is_known:
            found, remedy = camera_input.missing_info()
            remedy += ", "
        self._problems.note(
            "camera_info",
            f"{found}: assuming a horizontal field of view of {camera.field_of_view:.0f} degrees (image.field_of_view),"
            f" and lengths are in network units, not metres; publish its calibration, {remedy}or set calibration_file"
            " (`monodepth calibrate RECORDING` makes one)",
        )

    def _log_frames(self, of_image: str, of_info: str) -> None:
        """Say once that image and camera_info have different frames."""
        is_new = of_image != of_info and of_image and of_info and self._frames != (of_image, of_info)
        if is_new and self._log.is_due("frames"):
            self._frames = of_image, of_info
            self._log.info(
                f"images of frame {shown(of_image)!r} with the camera_info of frame {shown(of_info)!r}: "
                f"{self.info_topic} is used, "
                "and everything is published in the frame of the images"
            )

    def _note_repetition(self, stamp_ns: int) -> None:
        """Say that one stamp is repeated again and again: a camera that sends each image twice is none of that."""
        self._repeated += 1
        if self._repeated >= REPETITIONS:
            self._problems.note(
                "repeated stamp",
                f"{self._repeated} images in a row on {self.image_topic} repeat the stamp {stamp_ns * 1e-9:.3f} s and "
                "are left out: no depth comes until it changes; let the camera driver stamp each image, or restart it",
                is_error=True,
                is_lasting=True,
            )

    def note_processed(self, stamp_ns: int) -> None:
        """Treat further images of this stamp as repetitions."""
        self._last_stamp_ns = stamp_ns

    def _waits_for_calibration(self, camera_input: CameraInput) -> bool:
        """Whether to drop the frame because camera_info may still come."""
        if camera_input.calibration.is_known:
            self._uncalibrated_since = None
            return False
        now = time.monotonic()
        self._uncalibrated_since = self._uncalibrated_since or now
        if now - self._uncalibrated_since < self._config.camera_info_timeout:
            self._counts.count(counters.UNCALIBRATED)
            return True
        return False
