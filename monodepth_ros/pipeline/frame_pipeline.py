# SPDX-License-Identifier: Apache-2.0
"""What happens to one frame: preprocess, networks, depth, motion, scale, odometry, outputs."""

import time
from collections.abc import Callable

import numpy as np

from monodepth_ros.data.image_codec import Pixels, to_rgb
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.resample import Resampler
from monodepth_ros.inference.engine import Engine
from monodepth_ros.networks.checkpoint import CheckpointHeader
from monodepth_ros.networks.disparity import scale_disparity
from monodepth_ros.odometry.gyro.gyro import Gyro
from monodepth_ros.odometry.scale.create_scale import create_scale
from monodepth_ros.odometry.scale.source import ScaleEstimate, ScaleSource, SeenDepth
from monodepth_ros.odometry.scale.travel_log import TravelLog
from monodepth_ros.pictures.color_picture import color_picture
from monodepth_ros.pictures.correspondence_picture import correspondence_picture
from monodepth_ros.pictures.ground_picture import ground_picture
from monodepth_ros.pipeline.config import PipelineConfig
from monodepth_ros.pipeline.depth_batch import infer_depth
from monodepth_ros.pipeline.depth_image import (
    DepthResizer,
    depth_from_disparity,
    depth_statistics,
    to_millimetres,
)
from monodepth_ros.pipeline.frame import Demand, Frame, FrameError, FrameResult, PreparedFrame
from monodepth_ros.pipeline.motion_tracking import MotionTracking, gives_motion
from monodepth_ros.pipeline.network_view import NetworkView, view_through
from monodepth_ros.pipeline.point_cloud import colored_points


class FramePipeline:
    """One camera's way from image to depth and odometry; keeps what must be remembered between its frames.

    engine: the networks, shared by all cameras. Not safe for use by several threads at a time. travel: to be filled, by any
    thread, with what the robot's own odometry says (scale.source odometry). leader: the camera that measures that scale for
    this one, if this one has no motion.
    """

    def __init__(
        self, engine: Engine, header: CheckpointHeader, config: PipelineConfig, leader: "FramePipeline | None" = None
    ):
        self._engine = engine
        self._header = header
        self._motion = MotionTracking(engine, header)
        self._view: NetworkView | None = None
        self._view_key = None
        self._config: PipelineConfig | None = None
        self._scale: ScaleSource | None = None
        self.travel = TravelLog()
        self._leader = leader
        self.configure(config)

    def configure(self, config: PipelineConfig) -> None:
        """Take over settings from the next frame on; ScaleError, and no change, if the scale cannot be had."""
        if self._config is None or config.scale != self._config.scale:
            # Built anew it would have to measure anew.
            previous = self._scale and self._scale.estimate()
            leader = self._leader and (lambda: self._leader.scale)
            self._scale = scale_for(config, self._header, self._engine.has_pose, self.travel, previous, leader)
        self._config = config
        self._motion.configure(config.odometry)

    @property
    def has_odometry(self) -> bool:
        """Whether frames yield odometry."""
        return self._motion.is_possible

    @property
    def motion_description(self) -> str:
        """What the odometry's motion comes from, in words."""
        return self._motion.description

    @property
    def gyro(self) -> Gyro | None:
        """With odometry.imu_topic: to be filled with rates, in the camera's axes, before the frame of their time comes."""
        return self._motion.gyro

    @property
    def scale(self) -> ScaleEstimate:
        """The scale as known now."""
        return self._scale.estimate()

    def reset_odometry(self) -> None:
        """The next frame begins a new trajectory."""
        self._motion.reset()

    def process(self, frame: Frame, demand: Demand) -> FrameResult:
        """Compute what is wanted of a frame; FrameError if image and camera model differ in size."""
        prepared = self.prepare(frame, demand)
        infer_depth(self._engine, [prepared])
        result = self.finish(prepared)
        self.track(prepared)
        return result

    def prepare(self, frame: Frame, demand: Demand) -> PreparedFrame:
        """All that comes before the depth network, which `infer_depth` runs on one or several cameras' frames.

        FrameError if image and camera model differ in size. `finish` and `track` must come before the next
        frame's `prepare`.
        """
        started = time.perf_counter()
        if frame.pixels.size != (frame.camera.width, frame.camera.height):
            raise FrameError(
                "image of {}x{} with calibration for {}x{}: publish the camera_info of this image".format(
                    *frame.pixels.size, frame.camera.width, frame.camera.height
                )
            )
        has_new_view = self._look_through(frame.camera)
        view = self._view
        result = FrameResult(
            stamp_ns=frame.stamp_ns,
            camera=view.image_camera if self._is_full_size else view.camera,
            view=view,
            has_new_view=has_new_view,
            scale=self._scale.estimate(),
        )
        runs_networks = demand.needs_depth or demand.odometry
        wants_motion = self.has_odometry and (demand.odometry or (runs_networks and self._scale.needs_motion))
        prepared = PreparedFrame(
            frame,
            demand,
            result,
            scale_needs_depth=runs_networks and self._scale.needs_depth and view.is_calibrated,
            wants_motion=wants_motion,
            motion_needs_depth=wants_motion and self._motion.needs_depth,
        )
        if runs_networks or demand.rectified:
            prepared.rgb = self._network_rgb(frame.pixels)
        if runs_networks:
            prepared.image = self._engine.load_image(prepared.rgb)
            if wants_motion:
                self._motion.expect(prepared, view)
        result.milliseconds["prepare"] = 1e3 * (time.perf_counter() - started)
        return prepared

    def finish(self, prepared: PreparedFrame) -> FrameResult:
        """Depth and what is made of it, once the depth network has run; raises what that failed with."""
        started = time.perf_counter()
        if prepared.failure is not None:
            raise prepared.failure
        frame, demand, result = prepared.frame, prepared.demand, prepared.result
        scaled = None
        if prepared.disparity is not None:
            scaled = scale_disparity(prepared.disparity, self._header.min_depth, self._header.max_depth)
            if prepared.scale_needs_depth or prepared.wants_motion:
                prepared.seen = self._seen_depth(frame, scaled)
            if prepared.scale_needs_depth:
                self._scale.observe_depth(prepared.seen)
                result.scale = self._scale.estimate()
        rgb = prepared.rgb
        if self._is_full_size and (demand.rectified or demand.cloud):
            rgb = to_rgb(self._rectify(frame.pixels.array), frame.pixels.layout)
        if demand.rectified:
            result.rectified = rgb
        if demand.ground and self._scale.ground is not None:
            result.ground = ground_picture(prepared.rgb, self._scale.ground)
        if scaled is not None:
            self._finish_depth(result, scaled, rgb, demand)
        result.milliseconds["depth network"] = prepared.batch_ms
        result.milliseconds["finish"] = 1e3 * (time.perf_counter() - started)
        return result

    def track(self, prepared: PreparedFrame) -> None:
        """Motion and odometry of a finished frame, into its result: depth need not wait for them."""
        started = time.perf_counter()
        demand, result = prepared.demand, prepared.result
        if prepared.wants_motion:
            odometry = self._motion.track(prepared, self._view, self._scale)
            result.odometry = odometry if demand.odometry else None
            if demand.correspondences and self._motion.features is not None:
                result.correspondences = correspondence_picture(prepared.rgb, self._motion.features)
        result.milliseconds["motion"] = 1e3 * (time.perf_counter() - started)

    @property
    def _is_full_size(self) -> bool:
        return self._config.depth.resolution == "image"

    def _look_through(self, camera: CameraModel) -> bool:
        """Make the view for this camera unless it is at hand; whether it is new."""
        key = camera.key
        if key == self._view_key:
            return False
        header = self._header
        self._view = view_through(camera, header.training_camera, header.width, header.height, header.filter)
        self._rectify = (
            Resampler(camera, self._view.image_camera, header.filter) if self._view.is_calibrated else _unchanged
        )
        self._enlarge: DepthResizer | None = None
        self._view_key = key
        return True

    def _network_rgb(self, pixels: Pixels) -> np.ndarray:
        return to_rgb(self._view.resampler(pixels.array), pixels.layout)

    def _seen_depth(self, frame: Frame, scaled: np.ndarray) -> SeenDepth:
        view = self._view
        inverse = scaled if view.depth_factor == 1.0 else scaled / np.float32(view.depth_factor)
        if view.resampler.valid is not None:
            inverse = np.where(view.resampler.valid, inverse, np.float32(np.nan))
        return SeenDepth(frame.stamp_ns, inverse, view.camera, frame.mount)

    def _finish_depth(self, result: FrameResult, scaled: np.ndarray, rgb: np.ndarray, demand: Demand) -> None:
        config, view = self._config, self._view
        if self._is_full_size:
            if self._enlarge is None:
                self._enlarge = DepthResizer(view)
            scaled = self._enlarge(scaled)
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
        if demand.cloud and view.is_calibrated:
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
    """The scale source that the settings ask for; ScaleError if it cannot be had."""
    return create_scale(
        config.scale,
        header,
        has_motion=gives_motion(config.odometry, has_pose),
        travel=travel,
        previous=previous,
        leader=leader,
    )


def _unchanged(array: np.ndarray) -> np.ndarray:
    """The rectified image of a camera without calibration: the image."""
    return array
