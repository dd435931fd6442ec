# SPDX-License-Identifier: Apache-2.0
"""The processing of one frame: preprocessing, networks, depth, motion, scale, odometry, outputs."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.inference.engine import Engine
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.disparity import scale_disparity
from monodepth_ros.odometry.checks.depth_plausibility import DepthPlausibility
from monodepth_ros.odometry.checks.lost_motion import LostMotion
from monodepth_ros.odometry.gyro.gyro import Gyro
from monodepth_ros.odometry.scale.create_scale import create_scale
from monodepth_ros.odometry.scale.source import ScaleEstimate, ScaleSource
from monodepth_ros.odometry.scale.stated import RelativeScale
from monodepth_ros.odometry.scale.stereo_images import StereoImages
from monodepth_ros.odometry.scale.travel_log import TravelLog
from monodepth_ros.pictures.color_picture import color_picture
from monodepth_ros.pictures.correspondence_picture import correspondence_picture
from monodepth_ros.pictures.ground_picture import ground_picture
from monodepth_ros.pipeline.config import PipelineConfig
from monodepth_ros.pipeline.depth_batch import infer_depth
from monodepth_ros.pipeline.depth_content import depth_content
from monodepth_ros.pipeline.depth_image import depth_from_disparity, depth_statistics, to_millimetres
from monodepth_ros.pipeline.frame import Demand, Frame, FrameResult, PreparedFrame
from monodepth_ros.pipeline.frame_resampling import FrameResampling
from monodepth_ros.pipeline.motion_tracking import MotionTracking, gives_motion
from monodepth_ros.pipeline.point_cloud import colored_points
from monodepth_ros.pipeline.recent_resamplings import RecentResamplings

PROBATION = 10  # frames after a failure


class FramePipeline:
    """Turns one camera's images into depth and odometry, and keeps the state between its frames.

    engine: the networks, which several cameras may share. travel: the robot's own odometry, filled by the caller from
    any thread (scale.source odometry). stereo: the images of this camera, and of a partner, which the caller adds
    (scale.source stereo). leader: the pipeline of the camera that measures this scale, for a camera without motion.
    Every method must be called from one thread at a time. Raises ScaleError if the settings' scale cannot be had.
    """

    def __init__(
        self, engine: Engine, header: CheckpointHeader, config: PipelineConfig, leader: "FramePipeline | None" = None
    ):
        self._engine = engine
        self._header = header
        self._leader = leader
        self._config = config
        self._resamplings = RecentResamplings(engine, header)
        self.travel = TravelLog()
        self.stereo = StereoImages()
        self._scale = self._create_scale(config, previous=None)
        # A guessed focal length makes no metres, whatever the settings' scale.
        self._guessed_scale = RelativeScale("the camera is not calibrated")
        self._motion = MotionTracking(engine, header)
        self._motion.configure(config.odometry)
        self._plausibility = DepthPlausibility()
        self._lost_motion = LostMotion()
        self._failed: dict[str, int] = {}  # frames to come in which a failure of the stage is one more of the same
        self.announce: Callable[[str], None] = lambda text: None
        """Called with a line before something that keeps a frame waiting for seconds."""

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
        return create_scale(
            config.scale,
            self._header,
            has_motion=gives_motion(config.odometry, self._engine.has_pose),
            travel=self.travel,
            stereo=self.stereo,
            previous=previous,
            leader=leading_scale,
        )

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

    def images_of_pair(self, stamp_ns: int) -> StereoImages | None:
        """Where to add the images of this time, of this camera or its stereo partner; None if the scale needs none."""
        return self.stereo if self._scale.needs_pairs and self.stereo.is_due(stamp_ns) else None

    @property
    def scale(self) -> ScaleEstimate:
        """The current scale: the settings', or relative while the camera is not calibrated."""
        return self._scale_in_force.estimate()

    @property
    def _scale_in_force(self) -> ScaleSource:
        current = self._resamplings.current
        has_guess = current is not None and not current.view.is_calibrated
        return self._guessed_scale if has_guess else self._scale

    def reset_odometry(self) -> None:
        """Begin a new trajectory with the next frame."""
        self._motion.reset()

    def process(self, frame: Frame, demand: Demand) -> FrameResult:
        """Compute the outputs wanted of a frame; raises CalibrationError for another size, or any stage's error."""
        prepared = self.prepare(frame, demand)
        infer_depth(self._engine, [prepared])
        result = self.finish(prepared)
        self.track(prepared)
        for failure in result.failures.values():
            raise failure
        return result

    def prepare(self, frame: Frame, demand: Demand) -> PreparedFrame:
        """Do everything that precedes the depth network, which `infer_depth` then runs for one or several cameras.

        CalibrationError if image and camera model differ in size. Call `finish` and `track` before the next `prepare`.
        """
        started = time.perf_counter()
        frame.camera.check_size(*frame.pixels.size)
        before = self._resamplings.current
        resampling = self._resampling_for(frame.camera)
        view = resampling.view
        result = FrameResult(
            stamp_ns=frame.stamp_ns,
            camera=view.image_camera if self._is_full_size else view.camera,
            view=view,
            has_new_view=resampling is not before,
            scale=self.scale,
        )
        runs_networks = demand.needs_depth or (demand.odometry and frame.in_order)
        source = self._scale_in_force
        is_measured = runs_networks and frame.in_order
        wants_motion = self.has_odometry and is_measured and (demand.odometry or source.needs_motion)
        prepared = PreparedFrame(
            frame,
            demand,
            result,
            resampling,
            scale_needs_depth=is_measured and source.needs_depth,
            wants_motion=wants_motion,
            motion_needs_depth=wants_motion and self._motion.needs_depth,
        )
        if runs_networks or demand.rectified:
            prepared.rgb = resampling.network_input(frame.pixels)
        if runs_networks and prepared.rgb is not None:
            prepared.image = prepared.motion_image = self._engine.load_image(prepared.rgb)
            if wants_motion:
                if resampling.motion_view is not view and self._motion.uses_network:
                    prepared.motion_image = self._engine.load_image(resampling.motion_input(frame.pixels))
                self._motion.expect(prepared)
            pair = self.images_of_pair(frame.stamp_ns) if frame.in_order else None
            if pair is not None:
                pair.add_own(frame.stamp_ns, frame.pixels, frame.camera)
        result.milliseconds["prepare"] = 1e3 * (time.perf_counter() - started)
        return prepared

    def finish(self, prepared: PreparedFrame) -> FrameResult:
        """Make the depth outputs, after the depth network; raises the exception that the network failed with.

        An output that fails by itself is missing in the result, with its error in `failures`.
        """
        started = time.perf_counter()
        if prepared.failure is not None:
            raise prepared.failure
        demand, result = prepared.demand, prepared.result
        scaled = None
        if prepared.disparity is not None:
            scaled = scale_disparity(prepared.disparity, self._header.min_depth, self._header.max_depth)
            if prepared.scale_needs_depth or prepared.wants_motion:
                prepared.see(scaled)
            if prepared.scale_needs_depth and prepared.seen is not None:
                with self._recovering(result, "scale"):
                    self._scale.observe_depth(prepared.seen)
                    result.scale = self.scale
        rgb = prepared.rgb
        if self._is_full_size and (demand.rectified or demand.cloud):
            rgb = None
            with result.apart("rectified image"):
                rgb = prepared.resampling.rectified(prepared.frame.pixels)
        if demand.rectified:
            result.rectified = rgb
        ground = self._scale_in_force.ground
        if demand.ground and ground is not None and prepared.rgb is not None:
            with result.apart("picture of the ground"):
                result.ground = ground_picture(prepared.rgb, ground)
        if scaled is not None:
            self._finish_depth(prepared, scaled, rgb)
        result.milliseconds["depth network"] = prepared.batch_ms
        result.milliseconds["finish"] = 1e3 * (time.perf_counter() - started)
        return result

    def track(self, prepared: PreparedFrame) -> None:
        """Add motion and odometry to the result of a finished frame; the depth outputs do not wait for them.

        If the odometry fails, its error is in the result's `failures`, and the next frame begins without earlier ones.
        """
        started = time.perf_counter()
        demand, result = prepared.demand, prepared.result
        agreement = math.nan
        if prepared.wants_motion:
            with self._recovering(result, "odometry"):
                odometry = self._motion.track(prepared, self._scale_in_force)
                result.odometry = odometry if demand.odometry else None
            tracked = self._motion.tracked
            if demand.correspondences and tracked is not None and prepared.rgb is not None:
                with result.apart("correspondences"):
                    result.correspondences = correspondence_picture(prepared.rgb, tracked)
            agreement = math.nan if tracked is None else tracked.depth_agreement
            if result.view.is_calibrated:
                self._lost_motion.observe(tracked, result.view.image_camera)
        with result.apart("plausibility of the depth"):
            if prepared.frame.in_order:
                self._plausibility.observe_agreement(result.stamp_ns, agreement)
            if prepared.seen is not None:
                self._plausibility.observe_depth(prepared.seen, result.scale, self._config.scale.camera_height)
            result.contradiction = self._lost_motion.warning or self._plausibility.contradiction
        result.milliseconds["motion"] = 1e3 * (time.perf_counter() - started)

    @contextmanager
    def _recovering(self, result: FrameResult, stage: str) -> Iterator[None]:
        """Keep an error of the scale or the odometry to it: the first one costs what joins frames, and the trajectory
        goes on; the state behind it is replaced if the stage fails again within the next frames."""
        with result.apart(stage):
            try:
                yield
            except Exception:
                has_failed_again = self._failed.get(stage, 0) > 0
                self._failed[stage] = PROBATION
                self._motion.recover(has_failed_again)
                if has_failed_again:
                    self._scale = self._create_scale(self._config, previous=None)
                raise
            self._failed[stage] = self._failed.get(stage, 0) - 1

    @property
    def _is_full_size(self) -> bool:
        return self._config.depth.resolution == "image"

    def _resampling_for(self, camera: CameraModel) -> FrameResampling:
        before = self._resamplings.current
        resampling = self._resamplings.change_to(camera, self._config.image.view, self.announce)
        if before is not None and before.view.is_calibrated != resampling.view.is_calibrated:
            self._motion.reset()  # the unit of length is another one
        return resampling

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
        if prepared.disparity is not None:
            result.content = depth_content(depth, prepared.disparity, scaled, factor, config.depth.encoding)
        if demand.statistics:
            result.statistics = depth_statistics(depth)
        if demand.color:
            with result.apart("picture of the depth"):
                result.color = color_picture(depth)
        if demand.cloud and view.is_calibrated and rgb is not None:
            cloud = config.cloud
            with result.apart("cloud"):
                result.cloud, result.cloud_is_dense = colored_points(
                    depth, rgb, result.camera, cloud.stride, cloud.min_range, cloud.max_range
                )


def check_scale(config: PipelineConfig, header: CheckpointHeader, has_pose: bool) -> None:
    """Raise ScaleError if the scale of the settings cannot be had."""
    create_scale(config.scale, header, has_motion=gives_motion(config.odometry, has_pose))
