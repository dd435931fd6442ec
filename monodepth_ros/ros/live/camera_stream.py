# SPDX-License-Identifier: Apache-2.0
"""One camera's live path: image messages in, the newest one processed, results out."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from monodepth_ros.data.calibration import read_calibration
from monodepth_ros.errors import MonodepthError, typed_line
from monodepth_ros.inference.engine import Engine
from monodepth_ros.msg import DepthStatus
from monodepth_ros.odometry.visual_odometry import TrackingState
from monodepth_ros.pipeline.frame import Frame, FrameResult, PreparedFrame
from monodepth_ros.pipeline.frame_pipeline import FramePipeline
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.ros.live import counters
from monodepth_ros.ros.live.camera_input import CameraInput
from monodepth_ros.ros.live.counters import FrameCounters
from monodepth_ros.ros.live.diagnostics import Health
from monodepth_ros.ros.live.gyro_input import GyroInput
from monodepth_ros.ros.live.odometry_output import OdometryOutput
from monodepth_ros.ros.live.outputs import DepthOutputs, topic_prefix
from monodepth_ros.ros.live.problems import Problems
from monodepth_ros.ros.live.scale_inputs import ScaleInputs
from monodepth_ros.stamps import nanoseconds

# A stamp this far from the node's clock [s] is of another clock (a recording): its age says nothing.
FOREIGN_CLOCK = 60.0


class Arrival(NamedTuple):
    """An image message, when it came (steady clock [s]), and its age on the node's clock ([ms], or NaN)."""

    message: Image | CompressedImage
    time: float
    transport_ms: float


class PendingFrame(NamedTuple):
    """A frame between the steps of its processing, with the settings that it began with."""

    arrival: Arrival
    config: NodeConfig
    publish_tf: bool
    prepared: PreparedFrame
    decode_ms: float

    @property
    def header(self) -> Header:
        return self.arrival.message.header


class CameraStream:
    """Owns a camera's publishers from configuration on and its subscriptions while active.

    name: of the camera, before its topics; empty for the one camera whose topics are the node's own. config:
    the settings as they are for this camera. Messages come in on the executor's thread; frames are processed
    and published on the worker's, in three steps: `begin` up to the depth network, `publish_depth` after it, and
    `finish` with the motion, which nobody's depth waits for. Whatever goes wrong with a frame is counted and said
    there. Raises CalibrationError for a calibration file that cannot be read.
    """

    def __init__(self, node, name: str, config: NodeConfig, pipeline: FramePipeline, engine: Engine):
        self.name = name
        self._node = node
        self._logger = node.get_logger().get_child(name) if name else node.get_logger()
        self._config = self._applied_config = config
        self._reset_asked = False
        self._pipeline = pipeline
        self._engine = engine
        self._calibration = read_calibration(config.calibration_file) if config.calibration_file else None
        self._counters = FrameCounters()
        self._input: CameraInput | None = None
        self._last_stamp_ns = 0
        self._announced = ""
        self._uncalibrated_since: float | None = None
        self._problems = Problems(self._logger)
        self._last_result: FrameResult | None = None
        self._state = TrackingState.NO_DATA if pipeline.has_odometry else TrackingState.DISABLED
        self._scale_kind = pipeline.scale.kind
        self._outputs = DepthOutputs(node, name, config.depth.compressed)
        self._odometry = OdometryOutput(node, config, self._problems) if config.odometry_camera == name else None
        self._scale_inputs: ScaleInputs | None = None
        self._gyro_input: GyroInput | None = None

    def close(self) -> None:
        """Release everything."""
        self.deactivate()
        self._outputs.close()
        if self._odometry is not None:
            self._odometry.close()

    def activate(self, submit: Callable[["CameraStream", Arrival], None]) -> None:
        """Subscribe; arrivals go to `submit`, which returns at once."""
        self._submit = submit
        if self._odometry is not None:
            self._odometry.start()
        travel = self._pipeline.travel if self._odometry is not None else None
        self._scale_inputs = ScaleInputs(self._node, self._config.scale, travel, self._problems)
        gyro, imu_topic = self._pipeline.gyro, self._config.odometry.imu_topic
        if gyro is not None and self._odometry is not None:
            self._gyro_input = GyroInput(self._node, imu_topic, gyro, self._problems)
        self._input = CameraInput(self._node, self.name, self._config, self._calibration, self._receive)
        self._logger.info(f"waiting for images on {self._input.image_topic}")

    def unsubscribe(self) -> None:
        """Nothing arrives any more; frames in work may still be finished."""
        if self._input is not None:
            self._input.close()
        if self._scale_inputs is not None:
            self._scale_inputs.close()
        if self._gyro_input is not None:
            self._gyro_input.close()

    def deactivate(self) -> None:
        """Release the subscriptions and forget what joins frames; no frame may be in work."""
        self.unsubscribe()
        self._input = self._scale_inputs = self._gyro_input = None
        if self._odometry is not None:
            self._odometry.stop()
        self._pipeline.reset_odometry()
        self._last_stamp_ns = 0

    def configure(self, config: NodeConfig) -> None:
        """Take over live settings; the pipeline follows with the next frame."""
        self._config = config
        if self._scale_inputs is not None:
            self._scale_inputs.configure(config.scale)

    def reset_odometry(self) -> None:
        """Begin a new trajectory with the next frame."""
        self._reset_asked = True

    def _receive(self, message: Image | CompressedImage) -> None:
        self._counters.count(counters.RECEIVED)
        if not self._config.enabled:
            self._counters.count(counters.UNWANTED)
            return
        age = (self._node.get_clock().now().nanoseconds - _nanoseconds(message.header)) * 1e-9
        transport_ms = 1e3 * age if 0.0 <= age < FOREIGN_CLOCK else math.nan
        self._submit(self, Arrival(message, time.perf_counter(), transport_ms))

    def count_replaced(self) -> None:
        """An arrival was replaced by a newer one before its turn."""
        self._counters.count(counters.REPLACED)

    def begin(self, arrival: Arrival) -> PendingFrame | None:
        """Decode and prepare a frame for the depth network; None if it goes no further."""
        with self._counted():
            config = self._config
            if config is not self._applied_config:
                self._pipeline.configure(config)
                self._applied_config = config
            if self._reset_asked:
                self._reset_asked = False
                self._pipeline.reset_odometry()
            return self._prepare(arrival, config)
        return None

    def publish_depth(self, work: PendingFrame) -> bool:
        """Depth to outputs, once the depth network has run; whether `finish` is to follow."""
        with self._counted():
            started = time.perf_counter()
            result = self._pipeline.finish(work.prepared)
            self._last_stamp_ns = result.stamp_ns
            self._last_result = result
            self._announce(result, work.header, work.prepared.demand.cloud)
            self._outputs.publish(result, work.header, work.config.depth)
            result.milliseconds["publish"] = 1e3 * (time.perf_counter() - started)
            return True
        return False

    def finish(self, work: PendingFrame) -> None:
        """Motion to odometry, and the frame's status."""
        with self._counted():
            self._finish(work)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Whatever goes wrong is counted and said, and the next frame is processed."""
        try:
            yield
        except MonodepthError as error:
            self._counters.count(counters.INVALID)
            self._problems.note("invalid", str(error), is_error=True)
        except Exception as error:  # a bug or a device out of memory must not end the stream
            self._counters.count(counters.FAILED)
            reason = typed_line(error)
            self._problems.note("failed", f"frame not processed: {reason}", is_error=True)

    def _prepare(self, arrival: Arrival, config: NodeConfig) -> PendingFrame | None:
        stamp_ns = _nanoseconds(arrival.message.header)
        if stamp_ns != 0 and stamp_ns == self._last_stamp_ns:
            self._counters.count(counters.DUPLICATE)
            return None
        camera_input, scale_inputs, pipeline = self._input, self._scale_inputs, self._pipeline
        if camera_input is None or scale_inputs is None or self._waits_for_calibration(camera_input):
            return None
        publish_tf = config.publish_tf and pipeline.scale.is_metric and pipeline.scale.is_known
        wants_odometry = (
            self._odometry is not None
            and pipeline.has_odometry
            and (self._odometry.is_wanted(publish_tf) or self._outputs.wants_correspondences)
        )
        demand = self._outputs.demand(wants_odometry)
        if not demand and not self._outputs.wants_info:
            self._counters.count(counters.UNWANTED)
            return None
        started = time.perf_counter()
        pixels = camera_input.decode(arrival.message)
        mount = scale_inputs.mount(arrival.message.header.frame_id)
        frame = Frame(stamp_ns, pixels, camera_input.camera_for(pixels), mount)
        decode_ms = 1e3 * (time.perf_counter() - started)
        return PendingFrame(arrival, config, publish_tf, pipeline.prepare(frame, demand), decode_ms)

    def _finish(self, work: PendingFrame) -> None:
        result, gyro_input = work.prepared.result, self._gyro_input
        if gyro_input is not None:
            gyro_input.advance(work.header.frame_id)
        self._pipeline.track(work.prepared)
        tracked = time.perf_counter()
        self._outputs.publish_correspondences(result, work.header)
        publish_tf = work.publish_tf and result.view.is_calibrated
        self._publish_odometry(result, work.header, work.config, publish_tf)
        finished = time.perf_counter()
        self._counters.count(counters.PROCESSED)
        spent, transport_ms = result.milliseconds, work.arrival.transport_ms
        total_ms = 1e3 * (finished - work.arrival.time)
        self._counters.add_latency(total_ms)
        if work.prepared.demand.statistics:
            self._publish_status(
                result,
                work.header,
                transport=transport_ms,
                decode=work.decode_ms + spent["prepare"],
                inference=spent["depth network"] + spent["motion"],
                publish=spent["publish"] + 1e3 * (finished - tracked),
                total=total_ms + (transport_ms if math.isfinite(transport_ms) else 0.0),
            )

    def _waits_for_calibration(self, camera_input: CameraInput) -> bool:
        """Whether the frame must be dropped because camera_info may still come."""
        if camera_input.has_calibration:
            self._uncalibrated_since = None
            return False
        now = time.monotonic()
        self._uncalibrated_since = self._uncalibrated_since or now
        if now - self._uncalibrated_since < self._config.camera_info_timeout:
            self._counters.count(counters.UNCALIBRATED)
            return True
        self._problems.note(
            "camera_info",
            f"no camera_info on {camera_input.info_topic}: the camera is taken for the one the checkpoint was trained on; "
            f"publish it, remap with {topic_prefix(self.name)}camera_info:=/your/topic, or set calibration_file",
        )
        return False

    def _announce(self, result: FrameResult, header: Header, cloud_wanted: bool) -> None:
        if result.has_new_view:
            camera, view = result.view.image_camera, result.view.description
            text = f"{camera.width}x{camera.height} from {header.frame_id or 'no frame_id'}: {view}"
            if text != self._announced:  # a zooming camera changes its calibration with every frame
                self._announced = text
                self._logger.info(text)
        if result.scale.kind is not self._scale_kind and result.scale.is_known:
            self._scale_kind = result.scale.kind
            self._logger.info(f"scale now from {result.scale.description}")
        if cloud_wanted and not result.view.is_calibrated:
            self._problems.note(
                "cloud",
                "no cloud: the camera is not calibrated (K[0] is 0); publish its camera_info or set calibration_file",
            )

    def _publish_odometry(self, result: FrameResult, header: Header, config: NodeConfig, publish_tf: bool) -> None:
        estimate = result.odometry
        if estimate is None:
            self._state = TrackingState.NO_DATA if self._pipeline.has_odometry else TrackingState.DISABLED
            if result.stamp_ns == 0 and self._pipeline.has_odometry:
                self._problems.note("stamp", "images carry no stamp (zero): depth goes on, odometry needs their times")
            return
        self._state = estimate.state
        if estimate.note:
            self._problems.note("odometry", f"odometry: {estimate.note}")
        self._odometry.submit(estimate, header, config, publish_tf)

    def _publish_status(self, result: FrameResult, header: Header, **latencies: float) -> None:
        status = DepthStatus(
            header=header,
            checkpoint=self._config.checkpoint,
            engine=self._engine.name,
            device=self._engine.device,
        )
        statistics = result.statistics
        status.min_depth, status.median_depth = statistics.minimum, statistics.median
        status.max_depth, status.valid_ratio = statistics.maximum, statistics.valid_ratio
        status.scale, status.scale_source = (
            float(result.scale.factor * result.view.depth_factor),
            int(result.scale.kind),
        )
        status.scale_uncertainty, status.scale_state = result.scale.uncertainty, int(result.scale.state)
        for name, number in self._counters.counts().items():
            setattr(status, name, number)
        for stage, milliseconds in latencies.items():
            setattr(status, f"latency_{stage}_ms", milliseconds)
        status.odometry_state = int(self._state)
        self._outputs.publish_status(status)

    def report(self) -> Health:
        """This camera's facts and findings."""
        config, values = self._config, {}
        health = Health(f"camera {self.name}".rstrip(), self._engine.device, values=values)
        for name, number in self._counters.counts().items():
            values[name.replace("_", " ")] = str(number)
        values["rate in [Hz]"] = f"{self._counters.rate(counters.RECEIVED):.1f}"
        values["rate out [Hz]"] = f"{self._counters.rate(counters.PROCESSED):.1f}"
        p50, p95 = self._counters.latency_percentiles()
        values["latency p50 [ms]"], values["latency p95 [ms]"] = f"{p50:.1f}", f"{p95:.1f}"
        scale = self._pipeline.scale
        values["scale"], values["scale state"] = scale.description, scale.state.name.capitalize()
        values["odometry"] = {0: "No data", 1: "Tracking", 2: "Lost", 3: "Disabled"}[int(self._state)]
        if self._pipeline.has_odometry:
            values["odometry source"] = self._pipeline.motion_description
        if self._gyro_input is not None:
            values["gyro"] = self._pipeline.gyro.description
        if self._last_result is not None:
            values["view"] = self._last_result.view.description
        if not scale.is_metric:
            health.warn("depth is relative: network units, not metres")
        elif not scale.is_known:
            health.warn(f"no depth until its scale is known: {scale.description}")
        if not config.enabled:
            health.warn("switched off (~/enable)")
        elif self._input is not None:
            silence = self._input.silence(config.no_image_timeout)
            if silence:
                self._problems.note("silence", silence)
        for problem in self._problems.current():
            (health.error if problem.is_error else health.warn)(problem.message)
        if self._state is TrackingState.LOST:
            health.warn("odometry lost")
        return health


def _nanoseconds(header: Header) -> int:
    return nanoseconds(header.stamp)
