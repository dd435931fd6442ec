# SPDX-License-Identifier: Apache-2.0
"""The node's topics in a bag that stands alone, with the frames of the recording it was made from."""

import math
from pathlib import Path
from typing import Any

from monodepth_ros.data.bags import depth_status, messages
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.odometry.visual_odometry import TrackingState
from monodepth_ros.offline.frames import DUPLICATE, RunFrame, SourcePipeline
from monodepth_ros.offline.results.input_copy import InputCopy
from monodepth_ros.offline.results.run_diagnostics import RunDiagnostics
from monodepth_ros.pipeline.compressed_depth import compress_depth
from monodepth_ros.pipeline.frame_status import StageTimes, status_fields
from monodepth_ros.pipeline.moving_frame import odometry_transform
from monodepth_ros.pipeline.run_config import PATH_PERIOD_NS, RunConfig

IMAGE = "sensor_msgs/msg/Image"
TOPICS = {
    "/depth/image": IMAGE,
    "/depth/camera_info": "sensor_msgs/msg/CameraInfo",
    "/rgb/image_rect": IMAGE,
    "/depth/color": IMAGE,
    "/depth/points": "sensor_msgs/msg/PointCloud2",
    "/depth/status": depth_status.TYPE,
    "/diagnostics": "diagnostic_msgs/msg/DiagnosticArray",
}
STATIC_TRANSFORMS = "/tf_static"
COMPRESSED_DEPTH = {"/depth/image/compressedDepth": "sensor_msgs/msg/CompressedImage"}
ODOMETRY_TOPICS = {
    "/odom": "nav_msgs/msg/Odometry",
    "/twist": "geometry_msgs/msg/TwistWithCovarianceStamped",
    "/path": "nav_msgs/msg/Path",
    "/tf": "tf2_msgs/msg/TFMessage",
}
# Pictures that depend on the source of the scale and of the motion: these topics begin with their first message.
PICTURES = {"/depth/ground": IMAGE, "/odom/correspondences": IMAGE}


class OutputBag:
    """A new bag: `with OutputBag(...) as bag: bag.write(frame)`; zstd compresses it where its format can.

    Messages are those that the node would publish, and the static transforms of the source. They carry the stamp and
    the receive time of the image that they were made from. with_input: copy the images and their camera_info as well. replace: a recording at the path.
    Raises RecordingError, see BagWriter.
    """

    def __init__(self, path: str | Path, config: RunConfig, run: SourcePipeline, with_input: bool = False, replace: bool = False):
        self._writer = BagWriter(path, compress=Path(path).suffix != ".db3", replace=replace)
        self._input = InputCopy(run.source, self._writer) if with_input else None
        self._diagnostics = RunDiagnostics(config, run)
        self._config = config
        self._run = run
        self._camera_frame = run.source.frame_id
        self._moving_frame = run.moving_frame
        self._begun_pictures: set[str] = set()
        self._processed = 0
        self._poses: list[Any] = []
        self._path_stamp_ns: int | None = None

    def __enter__(self) -> "OutputBag":
        self._writer.__enter__()
        topics = dict(TOPICS)
        if self._config.depth.compressed:
            topics |= COMPRESSED_DEPTH
        if self._run.pipeline.has_odometry:
            topics |= ODOMETRY_TOPICS
        for topic, message_type in topics.items():
            self._writer.add_topic(topic, message_type)
        return self

    def __exit__(self, *exception: Any) -> None:
        if self._input is not None:
            self._input.close()
        self._writer.__exit__(*exception)

    def write(self, frame: RunFrame) -> None:
        """Append the topics of one frame, whose Demand must have asked for every output."""
        result, received_ns = frame.result, frame.source.received_ns
        header = messages.header(frame.source.stamp_ns, self._camera_frame)

        def write(topic: str, message: Any) -> None:
            self._writer.write(topic, received_ns, message)

        if self._processed == 0:
            self._write_static_transforms(frame, write)
        if self._input is not None:
            self._input.until(frame.source)
        settings = self._config.depth
        write("/depth/image", messages.image(header, result.depth, settings.encoding))
        if settings.compressed:
            compressed = compress_depth(
                result.depth, settings.compressed_quantization, settings.max_range, settings.compressed_format
            )
            write("/depth/image/compressedDepth", messages.compressed_image(header, *compressed))
        # A new model without the baseline that P of a stereo camera holds: depth has no second camera.
        camera = result.camera
        pinhole = camera.pinhole(camera.width, camera.height, camera.fx, camera.fy, camera.cx, camera.cy)
        write("/depth/camera_info", messages.camera_info(header, pinhole, result.view.is_calibrated))
        write("/rgb/image_rect", messages.image(header, result.rectified, "rgb8"))
        write("/depth/color", messages.image(header, result.color, "bgr8"))
        if result.cloud is not None:
            write("/depth/points", messages.point_cloud(header, result.cloud, result.cloud_is_dense))
        for topic, picture in zip(PICTURES, (result.ground, result.correspondences), strict=True):
            if picture is not None:
                self._begin_picture(topic)
                write(topic, messages.image(header, picture, "bgr8"))
        if frame.moving is not None:
            self._write_odometry(frame, write)
        write("/depth/status", self._status(frame, header))
        statuses = self._diagnostics.after(frame)
        if statuses:
            write("/diagnostics", messages.diagnostics(messages.header(frame.source.stamp_ns, ""), statuses))

    def _write_static_transforms(self, frame: RunFrame, write: Any) -> None:
        stamp_ns = frame.source.stamp_ns
        items = [
            messages.transform_stamped(messages.header(stamp_ns, parent), child, T)
            for parent, child, T in self._run.source.transforms
        ]
        if items:
            self._writer.add_topic(STATIC_TRANSFORMS, ODOMETRY_TOPICS["/tf"], latched=True)
            write(STATIC_TRANSFORMS, messages.transforms(items))

    def _begin_picture(self, topic: str) -> None:
        if topic not in self._begun_pictures:
            self._begun_pictures.add(topic)
            self._writer.add_topic(topic, PICTURES[topic])

    def _status(self, frame: RunFrame, header: Any) -> Any:
        result, run = frame.result, self._run
        self._processed += 1
        duplicate = run.source.left_out[DUPLICATE]
        invalid = run.source.left_out.total() - duplicate
        counts = dict.fromkeys(("unwanted", "replaced", "uncalibrated", "failed", "lost"), 0)
        counts |= {"processed": self._processed, "duplicate": duplicate, "invalid": invalid}
        counts["received"] = sum(counts.values())
        state = TrackingState.NO_DATA if run.pipeline.has_odometry else TrackingState.DISABLED
        spent = result.milliseconds
        return messages.status(
            header,
            status_fields(
                result,
                checkpoint=self._config.checkpoint,
                engine=run.engine,
                counts={f"frames_{fate}": number for fate, number in counts.items()},
                odometry_state=state if result.odometry is None else result.odometry.state,
                times=StageTimes(
                    transport=math.nan,
                    decode=spent["prepare"],
                    inference=spent["depth network"],
                    motion=spent["motion"],
                    publish=math.nan,
                    total=sum(spent.values()),
                ),
            ),
        )

    def _write_odometry(self, frame: RunFrame, write: Any) -> None:
        config, moving, estimate = self._config, frame.moving, frame.result.odometry
        if estimate.has_reset:
            self._poses, self._path_stamp_ns = [], None
        header = messages.header(estimate.stamp_ns, config.odom_frame)
        covariances = moving.pose_covariance, moving.twist, moving.twist_covariance
        odometry = messages.odometry(header, self._moving_frame.name, moving.T_odom_base, *covariances)
        write("/odom", odometry)
        moving_header = messages.header(estimate.stamp_ns, self._moving_frame.name)
        write("/twist", messages.twist_stamped(moving_header, odometry.twist))
        if estimate.state is TrackingState.LOST:
            return
        self._poses.append(messages.pose_stamped(header, moving.T_odom_base))
        del self._poses[: max(0, len(self._poses) - config.path_length)]
        if self._path_stamp_ns is None or estimate.stamp_ns - self._path_stamp_ns >= PATH_PERIOD_NS:
            write("/path", messages.path(header, self._poses))
            self._path_stamp_ns = estimate.stamp_ns
        is_metric = frame.result.scale.is_metric and frame.result.view.is_calibrated
        if is_metric and self._moving_frame.may_publish_tf:
            parent, child, T = odometry_transform(config, self._moving_frame.name, moving.T_odom_base)
            parent_header = messages.header(estimate.stamp_ns, parent)
            write("/tf", messages.transforms([messages.transform_stamped(parent_header, child, T)]))
