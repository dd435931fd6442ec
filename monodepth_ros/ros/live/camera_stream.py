# SPDX-License-Identifier: Apache-2.0
"""One camera's live path: the steps from an image message to the published results."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from std_msgs.msg import Header

from monodepth_ros.errors import MonodepthError, typed_line
from monodepth_ros.inference.engine import Engine
from monodepth_ros.odometry.scale.source import ScaleEstimate
from monodepth_ros.odometry.visual_odometry import TrackingState
from monodepth_ros.pipeline.frame import Frame, FrameResult
from monodepth_ros.pipeline.frame_pipeline import FramePipeline
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.ros.live import counters
from monodepth_ros.ros.live.counters import FrameCounters
from monodepth_ros.ros.live.frame_intake import FrameIntake
from monodepth_ros.ros.live.frame_log import FrameLog
from monodepth_ros.ros.live.inputs.gyro_input import GyroInput
from monodepth_ros.ros.live.inputs.image_flow import Arrival
from monodepth_ros.ros.live.inputs.scale_inputs import ScaleInputs
from monodepth_ros.ros.live.odometry_output import OdometryOutput
from monodepth_ros.ros.live.outputs import DepthOutputs
from monodepth_ros.ros.live.pending_frame import PendingFrame
from monodepth_ros.ros.live.problems import Problems
from monodepth_ros.ros.live.status_output import StatusOutput
from monodepth_ros.ros.node_log import node_log


class CameraStream:
    """A camera's publishers from configuration on, its subscriptions while active, and the processing of its frames.

    name: prefix of the camera's topics; empty for the one camera whose topics are the node's own. config: the settings
    of this camera. checkpoint: its name, for the status.

    Messages come in on the executor's thread. The worker's thread processes and publishes frames in three steps:
    `begin` up to the depth network, `publish_depth` after it, and `finish` with the motion, which no depth waits for.
    A frame that fails is counted, and its error logged, here. partner_of: the pipeline whose scale this camera serves
    in a stereo pair. Raises CalibrationError for a calibration file that cannot be read.
    """

    def __init__(
        self, node, name: str, config: NodeConfig, pipeline: FramePipeline, engine: Engine, checkpoint: str
    ) -> None:
        self.name = name
        self.engine = engine
        self.counters = FrameCounters()
        self._node = node
        self._logger = node_log(node).of_camera(name)
        self.problems = Problems(self._logger)
        self.intake = FrameIntake(node, name, config, self.counters, self.problems)
        self._config = self._applied_config = config
        self._pipeline = pipeline
        pipeline.announce = self._logger.infos("preparation")
        self.partner_of: FramePipeline | None = None
        self._must_reset = False
        self._sender = 0
        self._log = FrameLog(self._logger, self.problems, pipeline.scale.kind, config.image.view)
        self._last_result: FrameResult | None = None
        self._processed: float | None = None
        self._state = self._state_without_motion
        self._outputs = DepthOutputs(node, name, config.depth.compressed)
        self._status = StatusOutput(self._outputs, self.counters, engine, checkpoint)
        self._odometry = OdometryOutput(node, config, self.problems) if config.odometry_camera == name else None
        self._scale_inputs: ScaleInputs | None = None
        self._gyro_input: GyroInput | None = None

    @property
    def outputs(self) -> DepthOutputs:
        """The publishers of depth and everything made from it."""
        return self._outputs

    @property
    def odometry_output(self) -> OdometryOutput | None:
        """The publishers of the odometry; None for a camera that is not the odometry's."""
        return self._odometry

    @property
    def scale_inputs(self) -> ScaleInputs | None:
        """The live inputs of the scale; None unless active."""
        return self._scale_inputs

    @property
    def gyro_input(self) -> GyroInput | None:
        """The live gyro; None unless active and configured."""
        return self._gyro_input

    @property
    def config(self) -> NodeConfig:
        """The settings in force."""
        return self._config

    @property
    def scale(self) -> ScaleEstimate:
        """The scale as known now."""
        return self._pipeline.scale

    @property
    def odometry_state(self) -> TrackingState:
        """The state after the last processed frame, which is no state of now once `is_stale`."""
        return self._state_without_motion if self.is_stale else self._state

    @property
    def seconds_since_frame(self) -> float | None:
        """Time since the last processed frame [s]; None before the first one since activation."""
        return None if self._processed is None else time.monotonic() - self._processed

    @property
    def is_stale(self) -> bool:
        """Whether the last processed frame is older than no_image_timeout, or than two periods of max_rate."""
        seconds, config = self.seconds_since_frame, self._config
        period = 2.0 / config.max_rate if config.max_rate > 0 else 0.0
        return seconds is not None and seconds > max(config.no_image_timeout, period)

    @property
    def motion_source(self) -> str:
        """The source of the odometry's motion; empty without odometry."""
        return self._pipeline.motion_description if self._pipeline.has_odometry else ""

    @property
    def base_description(self) -> str:
        """The moving frame of the odometry; empty without odometry and before its first estimate."""
        return self._odometry.base_description if self._odometry is not None else ""

    @property
    def gyro_description(self) -> str:
        """The state of the gyro; empty without one."""
        return self._pipeline.gyro.description if self._gyro_input is not None else ""

    @property
    def view_description(self) -> str:
        """The share of the image that gets depth and how the network sees it; empty before the first frame."""
        return self._last_result.view.summary if self._last_result is not None else ""

    def close(self) -> None:
        """Release everything."""
        self.deactivate()
        self._outputs.close()
        if self._odometry is not None:
            self._odometry.close()

    def activate(self, submit: Callable[["CameraStream", Arrival], None]) -> None:
        """Subscribe; arrivals go to `submit`, which must return at once."""
        if self._odometry is not None:
            self._odometry.start()
        travel = self._pipeline.travel if self._odometry is not None else None
        stereo = self._pipeline.stereo if self._odometry is not None else None
        self._scale_inputs = ScaleInputs(self._node, self._config.scale, travel, stereo, self.problems)
        gyro, imu_topic = self._pipeline.gyro, self._config.odometry.imu_topic
        if gyro is not None and self._odometry is not None:
            self._gyro_input = GyroInput(self._node, imu_topic, gyro, self.problems)
        self.intake.open(lambda arrival: submit(self, arrival))
        self._logger.info(f"waiting for images on {self.intake.description}")

    def unsubscribe(self) -> None:
        """Release the subscriptions; frames that are being processed can still be finished."""
        self.intake.unsubscribe()
        for item in (self._scale_inputs, self._gyro_input):
            if item is not None:
                item.close()

    def deactivate(self) -> None:
        """Release the subscriptions and forget the earlier frames; no frame may be in process."""
        self.unsubscribe()
        self.intake.close()
        self._scale_inputs = self._gyro_input = None
        if self._odometry is not None:
            self._odometry.stop()
        self._pipeline.reset_odometry()
        self._state, self._processed = self._state_without_motion, None
        self._status.forget()

    def configure(self, config: NodeConfig) -> None:
        """Take over live settings; the pipeline follows with the next frame."""
        self._config = config
        self.intake.configure(config)
        if self._scale_inputs is not None:
            self._scale_inputs.configure(config.scale)

    def reset_odometry(self) -> None:
        """Begin a new trajectory with the next frame."""
        self._must_reset = True

    def note_time(self) -> None:
        """Let the status say that no frame comes, if so; to be called about once a second."""
        if self.is_stale:
            self._status.publish_stale(self.odometry_state)

    def begin(self, arrival: Arrival) -> PendingFrame | None:
        """Decode and prepare a frame for the depth network; None if it goes no further."""
        with self._failures_counted():
            config = self._config
            if config is not self._applied_config:
                self._pipeline.configure(config)
                self._applied_config = config
            if self._must_reset or arrival.sender != self._sender:
                self._must_reset, self._sender = False, arrival.sender
                self._pipeline.reset_odometry()
            return self._prepare(arrival, config)
        return None

    def publish_depth(self, pending: PendingFrame) -> bool:
        """Publish depth after the depth network has run; whether `finish` is to follow."""
        with self._failures_counted():
            started = time.perf_counter()
            result = self._pipeline.finish(pending.prepared)
            self.intake.note_processed(pending.arrival.stamp_ns)
            self._last_result = result
            with result.apart("log"):
                self._log.add(result, pending.header, pending.prepared.demand.cloud, pending.config)
            self._outputs.publish(result, pending.header, pending.config.depth)
            result.milliseconds["publish"] = 1e3 * (time.perf_counter() - started)
            return True
        return False

    def finish(self, pending: PendingFrame) -> None:
        """Compute and publish the motion, then the status; what fails is named, and the frame counts as processed."""
        result, header = pending.prepared.result, pending.header
        if self._gyro_input is not None:
            with result.apart("gyro"):
                self._gyro_input.advance(header.frame_id)
        with result.apart("motion"):
            self._pipeline.track(pending.prepared)
        if result.contradiction:
            self.problems.note("plausibility", result.contradiction)
        tracked = time.perf_counter()
        self._outputs.publish_correspondences(result, header)
        publish_tf = pending.publish_tf and result.view.is_calibrated
        with result.apart("output of the odometry"):
            self._publish_odometry(result, header, pending.config, publish_tf)
        finished = time.perf_counter()
        self.counters.count(counters.PROCESSED)
        self._processed = time.monotonic()
        self.counters.add_latency(pending.total_ms(finished))
        if pending.prepared.demand.statistics:
            with result.apart("status"):
                self._status.publish(result, header, self._state, pending.stage_times(tracked, finished))
        for stage, error in result.failures.items():
            reason = str(error) if isinstance(error, MonodepthError) else typed_line(error)
            self.problems.note(f"stage {stage}", f"{stage} failed, everything else goes on: {reason}", is_error=True)

    @contextmanager
    def _failures_counted(self) -> Iterator[None]:
        """Count and log an error, so that the next frame is processed all the same."""
        try:
            yield
        except MonodepthError as error:
            self.counters.count(counters.INVALID)
            self.problems.note("invalid", str(error), is_error=True)
        except Exception as error:  # a bug or a device out of memory must not end the stream
            self.counters.count(counters.FAILED)
            self.problems.note("failed", f"frame not processed: {typed_line(error)}", is_error=True)

    def _prepare(self, arrival: Arrival, config: NodeConfig) -> PendingFrame | None:
        scale_inputs, pipeline = self._scale_inputs, self._pipeline
        if scale_inputs is None:  # just deactivated
            self.counters.count(counters.UNWANTED)
            return None
        if not self.intake.accepts(arrival):
            return None
        publish_tf = config.publish_tf and pipeline.scale.is_metric and pipeline.scale.is_known
        wants_odometry = (
            self._odometry is not None
            and pipeline.has_odometry
            and (self._odometry.is_wanted(config, publish_tf) or self._outputs.wants_correspondences)
        )
        demand = self._outputs.demand(wants_odometry)
        pair = self.partner_of.images_of_pair(arrival.stamp_ns) if self.partner_of is not None else None
        is_wanted = bool(demand) or self._outputs.wants_info
        if not is_wanted:
            self.counters.count(counters.UNWANTED)
            if pair is None:
                return None
        started = time.perf_counter()
        pixels, camera = self.intake.decode(arrival)
        if pair is not None and arrival.in_order:
            pair.add_partner(arrival.stamp_ns, pixels, camera, arrival.header.frame_id)
        if not is_wanted:
            return None
        mount = scale_inputs.mount(arrival.header.frame_id, arrival.stamp_ns if arrival.in_order else 0)
        frame = Frame(arrival.stamp_ns, pixels, camera, mount, arrival.in_order)
        decode_ms = 1e3 * (time.perf_counter() - started)
        return PendingFrame(arrival, config, publish_tf, pipeline.prepare(frame, demand), decode_ms)

    @property
    def _state_without_motion(self) -> TrackingState:
        return TrackingState.NO_DATA if self._pipeline.has_odometry else TrackingState.DISABLED

    def _publish_odometry(self, result: FrameResult, header: Header, config: NodeConfig, publish_tf: bool) -> None:
        estimate = result.odometry
        if estimate is None:
            self._state = self._state_without_motion
            return
        self._state = estimate.state
        if estimate.note:
            self.problems.note("odometry", f"odometry: {estimate.note}")
        self._odometry.submit(estimate, header, config, publish_tf)
