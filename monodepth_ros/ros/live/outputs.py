# SPDX-License-Identifier: Apache-2.0
"""The topics of one camera's results, published only while they have subscribers."""

from collections.abc import Callable
from typing import Any

import numpy as np
from rclpy.event_handler import PublisherEventCallbacks
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import Header

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.msg import DepthStatus
from monodepth_ros.pipeline.compressed_depth import compress_depth
from monodepth_ros.pipeline.config import DepthConfig
from monodepth_ros.pipeline.frame import Demand, FrameResult
from monodepth_ros.ros.interop import build_cloud, encode_compressed, encode_image
from monodepth_ros.ros.live.inputs.qos_events import log_incompatible_qos

# What a subscriber should request instead, by the policy that does not match.
_REMEDIES = {
    "durability": "request volatile durability there",
    "reliability": "request best-effort reliability there",
}

TOPICS = {
    "depth": ("depth/image", Image),
    "info": ("depth/camera_info", CameraInfo),
    "color": ("depth/color", Image),
    "cloud": ("depth/points", PointCloud2),
    "rectified": ("rgb/image_rect", Image),
    "ground": ("depth/ground", Image),
    "correspondences": ("odom/correspondences", Image),
    "status": ("depth/status", DepthStatus),
}
COMPRESSED_DEPTH = {"compressed_depth": ("depth/image/compressedDepth", CompressedImage)}


def topic_prefix(camera: str) -> str:
    """The prefix of a camera's topics: its name and a slash, or nothing for the camera without a name."""
    return f"{camera}/" if camera else ""


def create_output(node, message_type, topic: str):
    """A managed publisher that logs subscriptions with an incompatible QoS."""
    # Reliable connects to reliable and to best-effort subscribers alike. A new profile each time: qos_overrides write
    # into it.
    qos = QoSProfile(depth=2, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE)
    who = f"a subscriber of {node.resolve_topic_name(topic)} requests"
    incompatible = log_incompatible_qos(node, who, "it receives nothing", _REMEDIES)
    return node.create_lifecycle_publisher(
        message_type,
        topic,
        qos,
        event_callbacks=PublisherEventCallbacks(incompatible_qos=incompatible),
        qos_overriding_options=QoSOverridingOptions.with_default_policies(),
    )


class DepthOutputs:
    """Publishers of depth and everything made from it, of the correspondences and of the status.

    camera: the prefix of the topics; empty for the camera without a name. compressed: also publish compressed depth.
    """

    def __init__(self, node, camera: str, compressed: bool = False):
        self._node = node
        prefix = topic_prefix(camera)
        topics = TOPICS | COMPRESSED_DEPTH if compressed else TOPICS
        self._publishers = {
            name: create_output(node, message_type, prefix + topic) for name, (topic, message_type) in topics.items()
        }

    def close(self) -> None:
        """Release the publishers."""
        for publisher in self._publishers.values():
            self._node.destroy_lifecycle_publisher(publisher)
        self._publishers = {}

    def _is_wanted(self, name: str) -> bool:
        return name in self._publishers and self._publishers[name].get_subscription_count() > 0

    @property
    def wants_info(self) -> bool:
        """Whether the camera_info of the depth image has subscribers."""
        return self._is_wanted("info")

    @property
    def wants_correspondences(self) -> bool:
        """Whether the picture of the odometry's points has subscribers."""
        return self._is_wanted("correspondences")

    @property
    def wants_status(self) -> bool:
        """Whether the status has subscribers."""
        return self._is_wanted("status")

    def demand(self, odometry: bool) -> Demand:
        """The outputs that have subscribers now. odometry: whether odometry is wanted."""
        return Demand(
            depth=self._is_wanted("depth") or self._is_wanted("compressed_depth"),
            color=self._is_wanted("color"),
            cloud=self._is_wanted("cloud"),
            rectified=self._is_wanted("rectified"),
            statistics=self.wants_status,
            odometry=odometry,
            ground=self._is_wanted("ground"),
            correspondences=self.wants_correspondences,
        )

    def publish(self, result: FrameResult, header: Header, depth: DepthConfig) -> None:
        """Publish depth and everything made from it, with the stamp and frame of the input image.

        An output that fails is missing, with its error in the result's `failures`.
        """
        if result.depth is not None and self._is_wanted("depth"):
            self._send(result, "depth", lambda: encode_image(result.depth, depth.encoding, header))
        if result.depth is not None and self._is_wanted("compressed_depth"):
            form = depth.compressed_format
            quantization = depth.compressed_quantization
            self._send(
                result,
                "compressed_depth",
                lambda: encode_compressed(*compress_depth(result.depth, quantization, depth.max_range, form), header),
            )
        # One camera_info for the depth and the rectified image.
        if self.wants_info:
            self._send(result, "info", lambda: camera_info(result.camera, result.view.is_calibrated, header))
        if result.rectified is not None:
            self._send(result, "rectified", lambda: encode_image(result.rectified, "rgb8", header))
        if result.color is not None:
            self._send(result, "color", lambda: encode_image(result.color, "bgr8", header))
        if result.ground is not None:
            self._send(result, "ground", lambda: encode_image(result.ground, "bgr8", header))
        if result.cloud is not None:
            self._send(result, "cloud", lambda: build_cloud(result.cloud, result.cloud_is_dense, header))

    def publish_correspondences(self, result: FrameResult, header: Header) -> None:
        """Publish the picture of the odometry's points, if the frame has one."""
        if result.correspondences is not None:
            self._send(result, "correspondences", lambda: encode_image(result.correspondences, "bgr8", header))

    def _send(self, result: FrameResult, name: str, message: Callable[[], Any]) -> None:
        publisher = self._publishers[name]
        with result.apart(publisher.topic_name):
            publisher.publish(message())

    def publish_status(self, status: DepthStatus) -> None:
        """Publish the status of a frame."""
        self._publishers["status"].publish(status)


def camera_info(camera: CameraModel, is_calibrated: bool, header: Header) -> CameraInfo:
    """CameraInfo of a pinhole camera without distortion; if it is not calibrated, with zero intrinsics (REP-104)."""
    message = CameraInfo(header=header, width=camera.width, height=camera.height, distortion_model="plumb_bob")
    message.d = [0.0] * 5
    message.r = np.eye(3).reshape(-1)
    if is_calibrated:
        message.k = camera.K.reshape(-1)
        message.p = np.hstack((camera.K, np.zeros((3, 1)))).reshape(-1)
    return message
