# SPDX-License-Identifier: Apache-2.0
"""One camera's input topics: the image, raw or compressed, and its camera_info."""

import time
from collections.abc import Callable

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from monodepth_ros.data.image_codec import Pixels, decode_compressed
from monodepth_ros.geometry.calibration_checks import has_intrinsics
from monodepth_ros.geometry.camera import CalibrationError, CameraModel
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.ros.interop import decode_image
from monodepth_ros.ros.live.outputs import topic_prefix
from monodepth_ros.ros.live.qos_events import log_incompatible_qos

_REMEDIES = {"reliability": "set image.reliability to best_effort"}


class CameraInput:
    """Subscriptions of one camera; every image message goes to `on_image` at once, on the executor's thread.

    The topics are `image` (or `image/compressed`) and `camera_info`, below the camera's name if it has one. All can be
    remapped. Remapping `image` alone moves the other two along, as image_transport does: image:=/front/image_raw also
    means /front/image_raw/compressed and /front/camera_info. calibration: replaces camera_info if given.
    """

    def __init__(
        self,
        node: Node,
        camera: str,
        config: NodeConfig,
        calibration: CameraModel | None,
        on_image: Callable[[Image | CompressedImage], None],
    ):
        self._node = node
        self._is_rectified, self._field_of_view = config.image.rectified, config.image.field_of_view
        self._fixed = calibration.rectified() if calibration is not None and self._is_rectified else calibration
        self._is_compressed = config.image_transport == "compressed"
        self._info: CameraInfo | None = None
        self._camera: CameraModel | None = None
        self._camera_source: tuple | None = None
        self._started = self._publishers_since = time.monotonic()
        self._publishers = 0
        self.last_image_time: float | None = None
        self._on_image = on_image
        self._prefix = topic_prefix(camera)
        self.image_topic, self.info_topic = _topics(node, self._prefix, self._is_compressed)
        reliable = config.image.reliability == "reliable"
        self._reliability = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
        self._subscriptions = []
        try:
            self._subscribe(CompressedImage if self._is_compressed else Image, self.image_topic, self._take_image)
            if self._fixed is None:
                self._subscribe(CameraInfo, self.info_topic, self._take_info)
        except Exception:  # bad qos_overrides
            self.close()
            raise

    def _subscribe(self, message_type, topic: str, callback) -> None:
        who = f"a publisher of {topic} offers"
        incompatible = log_incompatible_qos(self._node, who, "nothing arrives from it", _REMEDIES)
        subscription = self._node.create_subscription(
            message_type,
            topic,
            callback,
            # A new profile each time: qos_overrides write into it.
            QoSProfile(depth=1, history=HistoryPolicy.KEEP_LAST, reliability=self._reliability),
            event_callbacks=SubscriptionEventCallbacks(incompatible_qos=incompatible),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        self._subscriptions.append(subscription)

    def close(self) -> None:
        """Release the subscriptions."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []

    def _take_image(self, message: Image | CompressedImage) -> None:
        self.last_image_time = time.monotonic()
        self._on_image(message)

    def _take_info(self, message: CameraInfo) -> None:
        self._info = message

    def decode(self, message: Image | CompressedImage) -> Pixels:
        """Pixels of an image message of this camera; raises ImageError."""
        return decode_compressed(message) if self._is_compressed else decode_image(message)

    @property
    def camera_info(self) -> CameraInfo | None:
        """The newest camera_info."""
        return self._info

    @property
    def has_calibration(self) -> bool:
        """Whether there is a calibration, from the topic or the file."""
        return self._fixed is not None or self._info is not None

    def camera_for(self, pixels: Pixels) -> CameraModel:
        """The camera model of an image, from the file or the newest camera_info; an uncalibrated one without either, or
        if K[0] is 0.

        Raises CalibrationError if the camera_info is not a valid calibration or is for another image size.
        """
        camera = self._fixed or self._from_info()
        if camera is None:
            return CameraModel.uncalibrated(*pixels.size, self._field_of_view)
        camera.check_size(*pixels.size, "the calibration file" if self._fixed is not None else self.info_topic)
        return camera

    def _from_info(self) -> CameraModel | None:
        info = self._info
        if info is None or not has_intrinsics(info):
            return None
        roi = info.roi
        source = (
            (info.width, info.height, info.distortion_model, info.binning_x, info.binning_y),
            (roi.x_offset, roi.y_offset, roi.width, roi.height),
            tuple(info.k),
            tuple(info.d),
            tuple(info.r),
            tuple(info.p),
        )
        if source != self._camera_source:
            self._camera = self._camera_source = None
            try:
                camera = CameraModel.from_camera_info(info)
            except CalibrationError as error:
                raise CalibrationError(f"{self.info_topic}: {error}") from None
            self._camera = camera.rectified() if self._is_rectified else camera
            self._camera_source = source
        return self._camera

    def silence(self, limit: float) -> str:
        """Why no image has come for more than `limit` seconds and what to do; empty if images come.

        Call it periodically: a publisher that has just appeared gets the same time.
        """
        now = time.monotonic()
        publishers = self._node.count_publishers(self.image_topic)
        if publishers != self._publishers:
            self._publishers, self._publishers_since = publishers, now
        seconds = now - (self.last_image_time or self._started)
        if seconds <= limit:
            return ""
        if publishers == 0:
            return (
                f"no image for {seconds:.0f} s: no publisher on {self.image_topic}; start the camera, or remap "
                f"with {self._prefix}image:=/your/topic"
            )
        if now - self._publishers_since <= limit:
            return ""
        return (
            f"no image for {seconds:.0f} s: {publishers} publisher(s) on {self.image_topic} but nothing arrives; large "
            "images may get lost on the way (set image.reliability to reliable), or the QoS does not match"
        )


def _topics(node: Node, prefix: str, is_compressed: bool) -> tuple[str, str]:
    """Names of the image and camera_info topics after remapping."""

    def is_remapped(name: str) -> bool:
        return node.resolve_topic_name(name) != node.resolve_topic_name(name, only_expand=True)

    name, compressed_name, info_name = (f"{prefix}{item}" for item in ("image", "image/compressed", "camera_info"))
    image = node.resolve_topic_name(name)
    topic = image
    if is_compressed:
        topic = node.resolve_topic_name(compressed_name) if is_remapped(compressed_name) else f"{image}/compressed"
    info = node.resolve_topic_name(info_name)
    if is_remapped(name) and not is_remapped(info_name):
        info = image.rsplit("/", 1)[0] + "/camera_info"
    return topic, info
