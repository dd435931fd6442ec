# SPDX-License-Identifier: Apache-2.0
"""The node's topics in a bag, to be played beside the recording they were made from."""

from pathlib import Path
from typing import Any

from monodepth_ros.data.bags import messages as messages
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.geometry.motion import invert
from monodepth_ros.odometry.visual_odometry import TrackingState
from monodepth_ros.pipeline.compressed_depth import compress_depth
from monodepth_ros.offline.frames import RunFrame
from monodepth_ros.pipeline.moving_frame import MovingFrame
from monodepth_ros.pipeline.run_config import RunConfig

TOPICS = {
    "/depth/image": "sensor_msgs/msg/Image",
    "/depth/camera_info": "sensor_msgs/msg/CameraInfo",
    "/rgb/image_rect": "sensor_msgs/msg/Image",
    "/depth/color": "sensor_msgs/msg/Image",
    "/depth/points": "sensor_msgs/msg/PointCloud2",
}
COMPRESSED_DEPTH = {"/depth/image/compressedDepth": "sensor_msgs/msg/CompressedImage"}
ODOMETRY_TOPICS = {
    "/odom": "nav_msgs/msg/Odometry",
    "/twist": "geometry_msgs/msg/TwistWithCovarianceStamped",
    "/path": "nav_msgs/msg/Path",
    "/tf": "tf2_msgs/msg/TFMessage",
}
# As in the node: often enough to look at.
PATH_PERIOD_NS = 500_000_000


class OutputBag:
    """A new bag: `with OutputBag(...) as bag: bag.write(frame)`.

    Messages are as the node would have published them.
    They carry the stamp of the image they were made from, and are received when it was. Raises
    RecordingError, see BagWriter.
    """

    def __init__(
        self,
        path: str | Path,
        config: RunConfig,
        camera_frame: str,
        moving_frame: MovingFrame,
        has_odometry: bool,
    ):
        self._writer = BagWriter(path)
        self._config = config
        self._camera_frame = camera_frame
        self._moving_frame = moving_frame
        self._has_odometry = has_odometry
        self._poses: list[Any] = []
        self._path_stamp_ns: int | None = None

    def __enter__(self) -> "OutputBag":
        self._writer.__enter__()
        topics = dict(TOPICS)
        if self._config.depth.compressed:
            topics |= COMPRESSED_DEPTH
        if self._has_odometry:
            topics |= ODOMETRY_TOPICS
        for topic, message_type in topics.items():
            self._writer.add_topic(topic, message_type)
        return self

    def __exit__(self, *exception: Any) -> None:
        self._writer.__exit__(*exception)

    def write(self, frame: RunFrame) -> None:
        """Append the topics of one frame; all outputs but statistics must have been asked for."""
        result, received_ns = frame.result, frame.source.received_ns
        header = messages.header(frame.source.stamp_ns, self._camera_frame)

        def write(topic: str, message: Any) -> None:
            self._writer.write(topic, received_ns, message)

        settings = self._config.depth
        write("/depth/image", messages.image(header, result.depth, settings.encoding))
        if settings.compressed:
            compressed = compress_depth(result.depth, settings.compressed_quantization, settings.max_range)
            write("/depth/image/compressedDepth", messages.compressed_image(header, *compressed))
        # P has no baseline here: the camera of the depth image is a single one.
        pinhole = result.camera.pinhole(
            result.camera.width,
            result.camera.height,
            *(getattr(result.camera, name) for name in ("fx", "fy", "cx", "cy")),
        )
        write("/depth/camera_info", messages.camera_info(header, pinhole, result.view.is_calibrated))
        write("/rgb/image_rect", messages.image(header, result.rectified, "rgb8"))
        write("/depth/color", messages.image(header, result.color, "bgr8"))
        if result.cloud is not None:
            write("/depth/points", messages.point_cloud(header, result.cloud, result.cloud_is_dense))
        if frame.moving is not None:
            self._write_odometry(frame, write)

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
            names, T = (config.odom_frame, self._moving_frame.name), moving.T_odom_base
            if config.invert_odom_tf:
                names, T = names[::-1], invert(T)
            parent = messages.header(estimate.stamp_ns, names[0])
            write("/tf", messages.transforms([messages.transform_stamped(parent, names[1], T)]))
