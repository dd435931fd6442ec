# SPDX-License-Identifier: Apache-2.0
"""One camera's input topics: the image, raw or compressed, and its camera_info."""

import time
from collections.abc import Callable

from rclpy.clock import Clock, ClockType
from rclpy.event_handler import SubscriptionEventCallbacks, UnsupportedEventTypeError
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from monodepth_ros.data.image_codec import Pixels
from monodepth_ros.data.info_camera import ImagesOf, camera_of_info
from monodepth_ros.geometry.calibration_checks import has_intrinsics
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.lens_plausibility import lens_problem
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.ros.interop import image_decoder
from monodepth_ros.ros.live.outputs import topic_prefix
from monodepth_ros.ros.live.qos_events import log_incompatible_qos
from monodepth_ros.ros.live.topic_choice import ImageTopics, TopicChoice
from monodepth_ros.ros.middleware_profile import large_message_remedy

_REMEDIES = {"reliability": "set image.reliability to best_effort"}
# Period of looking at what is published, while no image arrives [s].
LOOK_PERIOD = 0.5


class CameraInput:
    """Subscriptions of one camera; every image message goes to `on_image` at once, on the executor's thread.

    The topics are those of a `TopicChoice`; they can change while nothing is published on them. calibration: replaces
    camera_info if given. on_lost: called with the number of images that the middleware has lost since the last call.
    calibration_warning: why the calibration in use can hardly be right, or ''.
    """

    def __init__(
        self,
        node: Node,
        camera: str,
        config: NodeConfig,
        calibration: CameraModel | None,
        on_image: Callable[[Image | CompressedImage], None],
        on_lost: Callable[[int], None],
    ):
        self._node = node
        image = config.image
        self._rectified = True if image.rectified else False if image.unrectified else None
        self._field_of_view = image.field_of_view
        self._fixed = calibration.rectified() if calibration is not None and self._rectified else calibration
        self.calibration_warning = ""
        if self._fixed is not None and (problem := lens_problem(self._fixed)):
            self.calibration_warning = f"the calibration file can hardly be right: {problem}"
        self._info: CameraInfo | None = None
        self._camera: CameraModel | None = None
        self._camera_source: tuple | None = None
        self._started = self._publishers_since = time.monotonic()
        self._publishers = 0
        self.last_image_time: float | None = None
        self._on_image, self._on_lost = on_image, on_lost
        self._prefix = topic_prefix(camera)
        self._transport = config.image_transport
        may_search = config.image.find_topic and not camera
        warn = node.get_logger().warning
        self._decoder = image_decoder(config.image.decoder_options, self._warn_of_pixels)
        self._choice = TopicChoice(node, camera, config.image_transport, may_search, warn)
        reliable = config.image.reliability == "reliable"
        self._reliability = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
        self._subscriptions: list[Subscription] = []
        # On the steady clock: a simulation's may not run yet.
        self._timer = node.create_timer(LOOK_PERIOD, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))
        try:
            self._subscribe_all()
        except Exception:  # bad qos_overrides
            self.close()
            raise

    def _subscribe_all(self) -> None:
        topics = self._choice.current
        lost = lambda event: self._on_lost(event.total_count_change)  # noqa: E731
        self._subscribe(CompressedImage if topics.is_compressed else Image, topics.image, self._take_image, lost)
        if self._fixed is None:
            self._subscribe(CameraInfo, topics.info, self._take_info)

    def _subscribe(self, message_type, topic: str, callback, lost=None) -> None:
        who = f"a publisher of {topic} offers"
        incompatible = log_incompatible_qos(self._node, who, "nothing arrives from it", _REMEDIES)

        def create(**events) -> Subscription:
            return self._node.create_subscription(
                message_type,
                topic,
                callback,
                # A new profile each time: qos_overrides write into it.
                QoSProfile(depth=1, history=HistoryPolicy.KEEP_LAST, reliability=self._reliability),
                event_callbacks=SubscriptionEventCallbacks(incompatible_qos=incompatible, **events),
                qos_overriding_options=QoSOverridingOptions.with_default_policies(),
            )

        try:
            subscription = create(message_lost=lost)
        except UnsupportedEventTypeError:  # not every middleware tells of lost messages
            subscription = create()
        self._subscriptions.append(subscription)

    def _unsubscribe_all(self) -> None:
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []

    def _look(self) -> None:
        """Follow the publishers: subscribe anew if they have changed for others."""
        if self.last_image_time is not None and time.monotonic() - self.last_image_time < LOOK_PERIOD:
            return
        if not self._choice.look():
            return
        self._unsubscribe_all()
        self._info = None
        self._subscribe_all()
        topics = self._choice.current
        self._node.get_logger().info(f"images from {topics}, calibration from {topics.info}")

    def close(self) -> None:
        """Release the subscriptions."""
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
            self._timer = None
        self._unsubscribe_all()

    def _take_image(self, message: Image | CompressedImage) -> None:
        self.last_image_time = time.monotonic()
        self._on_image(message)

    def _take_info(self, message: CameraInfo) -> None:
        self._info = message

    def _warn_of_pixels(self, text: str) -> None:
        self._node.get_logger().warning(f"{self.topics.image}: {text}")

    def decode(self, message: Image | CompressedImage) -> Pixels:
        """Pixels of an image message of this camera; raises ImageError."""
        return self._decoder.decode(message)

    @property
    def topics(self) -> ImageTopics:
        """The topics that are subscribed to."""
        return self._choice.current

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
        camera.check_size(*pixels.size, "the calibration file" if self._fixed is not None else self.topics.info)
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
            topics = self.topics
            images = ImagesOf(topics.image, topics.info, self._rectified, option="image.unrectified")
            found = camera_of_info(info, images)
            for remark in found.remarks:
                self._node.get_logger().info(remark)
            self._camera, self.calibration_warning = found.model, found.warning
            self._camera_source = source
        return self._camera

    def silence(self, limit: float) -> str:
        """Why no image has come for more than `limit` seconds and what to do; empty if images come.

        Call it periodically: a publisher that has just appeared gets the same time.
        """
        now = time.monotonic()
        topic = self._choice.current.image
        publishers = self._node.count_publishers(topic)
        if publishers != self._publishers:
            self._publishers, self._publishers_since = publishers, now
        seconds = now - (self.last_image_time or self._started)
        if seconds <= limit:
            return ""
        if publishers == 0:
            return f"no image for {seconds:.0f} s: no publisher on {topic}; {self._choice.advice}"
        types, expected = self._choice.types(), self._choice.current.type
        if expected not in types:
            way_out = f"remap with {self._prefix}image:=/your/topic"
            if self._transport != "auto":
                way_out += ", or set image_transport to auto"
            return f"no image for {seconds:.0f} s: {topic} carries {', '.join(types)}, expected {expected}; {way_out}"
        if now - self._publishers_since <= limit:
            return ""
        return (
            f"no image for {seconds:.0f} s: {publishers} publisher(s) on {topic} but nothing arrives; large images may "
            f"get lost on the way ({large_message_remedy()}, or set image.reliability to reliable), or the QoS does "
            "not match"
        )
