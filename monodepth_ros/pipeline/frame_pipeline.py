# SPDX-License-Identifier: Apache-2.0
"""The processing of one frame: preprocessing, networks, depth, motion, scale, odometry, outputs."""

import math
import time
from collections.abc import Callable

import numpy as np

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.inference.engine import Engine
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.disparity import scale_disparity
from monodepth_ros.odometry.checks.depth_plausibility import DepthPlausibility
from monodepth_ros.odometry.gyro.gyro import Gyro
from monodepth_ros.odometry.scale.create_scale import create_scale
from monodepth_ros.odometry.scale.source import ScaleEstimate, ScaleSource, SeenDepth
from monodepth_ros.odometry.scale.travel_log import TravelLog
from monodepth_ros.pictures.color_picture import color_picture
from monodepth_ros.pictures.correspondence_picture import correspondence_picture
from monodepth_ros.pictures.ground_picture import ground_picture
from monodepth_ros.pipeline.config import PipelineConfig
from monodepth_ros.pipeline.depth_batch import infer_depth
from monodepth_ros.pipeline.depth_image import depth_from_disparity, depth_statistics, to_millimetres
from monodepth_ros.pipeline.frame import Demand, Frame, FrameResult, PreparedFrame
from monodepth_ros.pipeline.frame_resampling import FrameResampling
from monodepth_ros.pipeline.motion_tracking import MotionTracking, gives_motion
from monodepth_ros.pipeline.network_view import NetworkView
from monodepth_ros.pipeline.point_cloud import colored_points


class FramePipeline:
    """Turns one camera's images into depth and odometry, and keeps the state between its frames.

    engine: the networks, which several cameras may share. travel: the robot's own odometry, filled by the caller from
    any thread (scale.source odometry). leader: the pipeline of the camera that measures this scale, for a camera
    without motion. Every method must be called from one thread at a time. Raises ScaleError if the settings' scale
    cannot be had.
    """

    def __init__(
        self, engine: Engine, header: CheckpointHeader, config: PipelineConfig, leader: "FramePipeline | None" = None
    ):
        self._engine = engine
        self._header = header
        self._leader = leader
        self._config = config
        self._resampling: FrameResampling | None = None
        self.travel = TravelLog()
        self._scale = self._create_scale(config, previous=None)
        self._motion = MotionTracking(engine, header)
        self._motion.configure(config.odometry)
        self._plausibility = DepthPlausibility()

    def configure(self, config: PipelineConfig) -> None:
        """Take over settings from the next frame on; ScaleError, and no change, if the scale cannot be had."""
        # Keep the scale if its settings did not change: a new one would start measuring from scratch.
        if config.scale != self._config.scale:
            self._scale = self._create_scale(config, previous=self._scale.estimate())
        self._config = config
        self._motion.configure(config.odometry)

    def _create_scale(self, config: PipelineConfig, previous: ScaleEstimate | None) -> ScaleSource:
        leader = self._leader
        leading_scale = None if leader is None else lambda: leader.scale
        return scale_for(config, self._header, self._engine.has_pose, self.travel, previous, leading_scale)

    @property
    def has_odometry(self) -> bool:
        """Whether frames yield odometry."""
        return self._motion.is_possible

    @property
    def motion_description(self) -> str:
        """The source of the odometry's motion, in words."""
        return self._motion.description

    @property
    def gyro(self) -> Gyro | None:
        """The gyro of odometry.imu_topic: add rates, in the camera's axes, before the frame of their time."""
        return self._motion.gyro

    @property
    def scale(self) -> ScaleEstimate:
        """The current scale."""
        return self._scale.estimate()

    def reset_odometry(self) -> None:
        """Begin a new trajectory with the next frame."""
        self._motion.reset()

    def process(self, frame: Frame, demand: Demand) -> FrameResult:
        """Compute the outputs wanted of a frame; CalibrationError if image and camera model differ in size."""
        prepared = self.prepare(frame, demand)
        infer_depth(self._engine, [prepared])
        result = self.finish(prepared)
        self.track(prepared)
        return result

    def prepare(self, frame: Frame, demand: Demand) -> PreparedFrame:
        """Do everything that precedes the depth network, which `infer_depth` then runs for one or several cameras.

        CalibrationError if image and camera model differ in size. Call `finish` and `track` before the next `prepare`.
        """
        started = time.perf_counter()
        frame.camera.check_size(*frame.pixels.size)
        before = self._resampling
        resampling = self._resampling_for(frame.camera)
        view = resampling.view
        result = FrameResult(
            stamp_ns=frame.stamp_ns,
            camera=view.image_camera if self._is_full_size else view.camera,
            view=view,
            has_new_view=resampling is not before,
            scale=self._scale.estimate(),
        )
        runs_networks = demand.needs_depth or demand.odometry
        wants_motion = self.has_odometry and (demand.odometry or (runs_networks and self._scale.needs_motion))
        prepared = PreparedFrame(
            frame,
            demand,
            result,
            resampling,
            scale_needs_depth=runs_networks and self._scale.needs_depth and view.is_calibrated,
            wants_motion=wants_motion,
            motion_needs_depth=wants_motion and self._motion.needs_depth,
        )
        if runs_networks or demand.rectified:
            prepared.rgb = resampling.network_input(frame.pixels)
        if runs_networks and prepared.rgb is not None:
            prepared.image = self._engine.load_image(prepared.rgb)
            if wants_motion:
                self._motion.expect(prepared)
        result.milliseconds["prepare"] = 1e3 * (time.perf_counter() - started)
        return prepared

    def finish(self, prepared: PreparedFrame) -> FrameResult:
        """Make the depth outputs, after the depth network; raises the exception that the network failed with."""
        started = time.perf_counter()
        if prepared.failure is not None:
            raise prepared.failure
        demand, result = prepared.demand, prepared.result
        scaled = None
        if prepared.disparity is not None:
            scaled = scale_disparity(prepared.disparity, self._header.min_depth, self._header.max_depth)
            if prepared.scale_needs_depth or prepared.wants_motion:
                prepared.seen = _seen_depth(prepared.frame, result.view, scaled)
            if prepared.scale_needs_depth and prepared.seen is not None:
                self._scale.observe_depth(prepared.seen)
                result.scale = self._scale.estimate()
        rgb = prepared.rgb
        if self._is_full_size and (demand.rectified or demand.cloud):
            rgb = prepared.resampling.rectified(prepared.frame.pixels)
        if demand.rectified:
            result.rectified = rgb
        ground = self._scale.ground
        if demand.ground and ground is not None and prepared.rgb is not None:
            result.ground = ground_picture(prepared.rgb, ground)
        if scaled is not None:
            self._finish_depth(prepared, scaled, rgb)
        result.milliseconds["depth network"] = prepared.batch_ms
        result.milliseconds["finish"] = 1e3 * (time.perf_counter() - started)
        return result

    def track(self, prepared: PreparedFrame) -> None:
        """Add motion and odometry to the result of a finished frame; the depth outputs do not wait for them."""
        started = time.perf_counter()
        demand, result = prepared.demand, prepared.result
        agreement = math.nan
        if prepared.wants_motion:
            odometry = self._motion.track(prepared, self._scale)
            result.odometry = odometry if demand.odometry else None
            tracked = self._motion.tracked
            if demand.correspondences and tracked is not None and prepared.rgb is not None:
                result.correspondences = correspondence_picture(prepared.rgb, tracked)
            agreement = math.nan if tracked is None else tracked.depth_agreement
        self._plausibility.observe_agreement(result.stamp_ns, agreement)
        if prepared.seen is not None:
            self._plausibility.observe_depth(prepared.seen, result.scale, self._config.scale.camera_height)
        result.contradiction = self._plausibility.contradiction
        result.milliseconds["motion"] = 1e3 * (time.perf_counter() - started)

    @property
    def _is_full_size(self) -> bool:
        return self._config.depth.resolution == "image"

    def _resampling_for(self, camera: CameraModel) -> FrameResampling:
        if self._resampling is None or not self._resampling.fits(camera):
            self._resampling = FrameResampling(camera, self._header)
        return self._resampling

    def _finish_depth(self, prepared: PreparedFrame, scaled: np.ndarray, rgb: np.ndarray | None) -> None:
        config, demand, result, view = self._config, prepared.demand, prepared.result, prepared.result.view
        if self._is_full_size:
            scaled = prepared.resampling.at_image_size(scaled)
        elif view.resampler.valid is not None:
            scaled[~view.resampler.valid] = np.nan
        factor = result.scale.factor * view.depth_factor
        depth = depth_from_disparity(scaled, factor, config.depth.min_range, config.depth.max_range)
        if demand.depth:
            result.depth = to_millimetres(depth) if config.depth.encoding == "16UC1" else depth
        if demand.statistics:
            result.statistics = depth_statistics(depth)
        if demand.color:
            result.color = color_picture(depth)
        if demand.cloud and view.is_calibrated and rgb is not None:
            cloud = config.cloud
            result.cloud, result.cloud_is_dense = colored_points(
                depth, rgb, result.camera, cloud.stride, cloud.min_range, cloud.max_range
            )


def scale_for(
    config: PipelineConfig,
    header: CheckpointHeader,
    has_pose: bool,
    travel: TravelLog | None = None,
    previous: ScaleEstimate | None = None,
    leader: Callable[[], ScaleEstimate] | None = None,
) -> ScaleSource:
    """The scale source of the settings; ScaleError if it cannot be had."""
    return create_scale(
        config.scale,
        header,
        has_motion=gives_motion(config.odometry, has_pose),
        travel=travel,
        previous=previous,
        leader=leader,
    )


def _seen_depth(frame: Frame, view: NetworkView, scaled: np.ndarray) -> SeenDepth:
    inverse = scaled if view.depth_factor == 1.0 else scaled / np.float32(view.depth_factor)
    if view.resampler.valid is not None:
        inverse = np.where(view.resampler.valid, inverse, np.float32(np.nan))
    return SeenDepth(frame.stamp_ns, inverse, view.camera, frame.mount)
