# SPDX-License-Identifier: Apache-2.0
"""One camera's input topics: the image, raw or compressed, and its camera_info."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.event_handler import SubscriptionEventCallbacks, UnsupportedEventTypeError
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from monodepth_ros.data.cameras.topics import CAMERA_INFO
from monodepth_ros.data.images.image_codec import ImageError, Pixels
from monodepth_ros.data.video_stream.colors import to_pixels
from monodepth_ros.data.video_stream.packets import is_video
from monodepth_ros.limits import LONGEST_SIDE, MOST_PIXELS
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.ros.interop import image_decoder
from monodepth_ros.ros.live.inputs.camera_calibration import CameraCalibration
from monodepth_ros.ros.live.inputs.depth_refusal import DepthRefusal
from monodepth_ros.ros.live.inputs.given_calibration import GivenCalibration
from monodepth_ros.ros.live.inputs.image_flow import claimed_size
from monodepth_ros.ros.live.inputs.publishers import Publishers
from monodepth_ros.ros.live.inputs.qos_events import log_incompatible_qos
from monodepth_ros.ros.live.inputs.topic_choice import ImageTopics, TopicChoice
from monodepth_ros.ros.live.inputs.video_input import QUEUE, VideoInput, VideoPicture
from monodepth_ros.ros.live.inputs.video_topics import message_class
from monodepth_ros.ros.live.outputs import topic_prefix
from monodepth_ros.ros.middleware_profile import large_message_remedy
from monodepth_ros.ros.node_log import node_log

_REMEDIES = {"reliability": "set image.reliability to best_effort"}
# Period of looking at what is published while no image comes [s], and the time without an image that counts as none.
LOOK_PERIOD = 0.1
QUIET = 0.5
# A larger step between the numbers of two publications is that of another publisher.
MOST_LOST = 1000
# rclpy hands the number of a publication to callbacks of two arguments from Iron on.
_TELLS_NUMBERS = hasattr(Subscription, "CallbackType")

ImageMessage = Image | CompressedImage | VideoPicture


class CameraInput:
    """Subscriptions of one camera; every image message goes to `on_image` at once, on the executor's thread.

    The topics are those of a `TopicChoice`; they can change while nothing is published on them. calibration: replaces
    camera_info if given. on_image: gets the message, and the number of the publication where the middleware tells it
    (else None). on_lost: called with the number of images that the middleware has lost since the last call.

    Video goes through a decoder (see `VideoInput`), whose thread calls `on_image` with its pictures. on_left_out: gets
    the number of packets without a picture and the reason. A CompressedImage or Image tells only by its first
    message that it is video; the subscription then gets a queue, in which no packet is replaced by a newer one.

    camera_info is taken with best effort and volatile, which connects to every publisher. If one of them is latched
    (transient_local, published once), a second subscription of that kind fetches its last message. It is made only
    then: a driver that is not latched would warn about it.
    """

    def __init__(
        self,
        node: Node,
        camera: str,
        config: NodeConfig,
        calibration: GivenCalibration | None,
        on_image: Callable[[ImageMessage, int | None], None],
        on_lost: Callable[[int], None],
        on_left_out: Callable[[int, str], None],
    ):
        self._node = node
        self._started = self._publishers_since = time.monotonic()
        self._count = 0
        self.last_image_time: float | None = None
        self._on_image, self._on_lost, self._on_left_out = on_image, on_lost, on_left_out
        self._video: VideoInput | None = None
        self._tells_losses, self._last_number = True, 0
        may_search = config.image.find_topic and not camera
        log = self._log = node_log(node).of_camera(camera)
        warn = log.warnings("topics")
        self._decoder = image_decoder(config.image.decoder_options, self._warn_of_pixels)
        self._choice = TopicChoice(node, camera, config.image_transport, may_search, warn)
        is_stated = bool(config.image.decoder_options.encoding)
        self._depth_refusal = DepthRefusal(is_stated, f"{topic_prefix(camera)}image", self._choice.other_cameras)
        self._remap_info = f"{topic_prefix(camera)}camera_info"
        reliable = config.image.reliability == "reliable"
        self._reliability = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
        self._subscriptions: list[Subscription] = []
        self._latched: Subscription | None = None
        self._choose_topics()
        announce = log.infos("calibration")
        self.calibration = CameraCalibration(
            config, calibration, lambda: self.infos.count, announce, log.warnings("camera_info")
        )
        # On the steady clock: a simulation's may not run yet.
        self._timer = node.create_timer(LOOK_PERIOD, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))
        try:
            self._subscribe_all()
        except Exception:  # bad qos_overrides
            self.close()
            raise

    def _choose_topics(self) -> None:
        topics = self._choice.current
        self.images = Publishers(self._node, topics.image, topics.type)
        self.infos = Publishers(self._node, topics.info, CAMERA_INFO)

    def _subscribe_all(self) -> None:
        topics = self._choice.current
        lost = lambda event: self._on_lost(event.total_count_change)  # noqa: E731
        message_type = message_class(topics.type)
        callback = self._take_numbered_image if _TELLS_NUMBERS else self._take_image
        self._has_queue = bool(topics.video) or self._video is not None
        reliability = self._reliability
        if self._has_queue and self.images.are_reliable:
            reliability = ReliabilityPolicy.RELIABLE
        self._image_qos = self._subscribe(message_type, topics.image, callback, reliability, lost)
        if not self.calibration.is_fixed:
            self._subscribe(CameraInfo, topics.info, self._take_info, ReliabilityPolicy.BEST_EFFORT)
        self.calibration.image_topic, self.calibration.info_topic = topics.image, topics.info
        self._fetch_latched()

    def _subscribe(self, message_type, topic: str, callback, reliability: ReliabilityPolicy, lost=None) -> QoSProfile:
        has_queue = lost is not None and self._has_queue
        # Parameters of its own: those of the subscription before it keep the length of its queue for ever.
        entity = "video" if has_queue else None
        who = f"a publisher of {topic} offers"
        incompatible = log_incompatible_qos(self._node, who, "nothing arrives from it", _REMEDIES)

        def create(**events) -> tuple[Subscription, QoSProfile]:
            # A new profile each time: qos_overrides write into it.
            qos = QoSProfile(depth=QUEUE if has_queue else 1, history=HistoryPolicy.KEEP_LAST, reliability=reliability)
            return self._node.create_subscription(
                message_type,
                topic,
                callback,
                qos,
                event_callbacks=SubscriptionEventCallbacks(incompatible_qos=incompatible, **events),
                qos_overriding_options=QoSOverridingOptions.with_default_policies(entity_id=entity),
            ), qos

        try:
            subscription, qos = create(message_lost=lost)
        except UnsupportedEventTypeError:  # not every middleware tells of lost messages; the numbers tell of gaps
            subscription, qos = create()
            self._tells_losses = self._tells_losses and lost is None
        self._subscriptions.append(subscription)
        return qos

    def _fetch_latched(self) -> None:
        """Subscribe to latched camera_infos if there are any."""
        if self._latched is None and not self.calibration.is_fixed and self.infos.has_latched:
            qos = QoSProfile(
                depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL
            )
            # Its other publishers need not match.
            silent = SubscriptionEventCallbacks(use_default_callbacks=False)
            self._latched = self._node.create_subscription(
                CameraInfo, self._choice.current.info, self._take_info, qos, event_callbacks=silent
            )
            self._subscriptions.append(self._latched)

    def _unsubscribe_all(self) -> None:
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions, self._latched = [], None

    def _look(self) -> None:
        """Follow the publishers: subscribe anew if they have changed for others."""
        self._fetch_latched()
        if self._video is not None and not self._has_queue:
            self._unsubscribe_all()
            self._subscribe_all()
        has_images = self.last_image_time is not None and time.monotonic() - self.last_image_time < QUIET
        if has_images and self._choice.is_settled:
            return
        if not self._choice.look():
            return
        self._unsubscribe_all()
        self._end_video()
        topics = self._choice.current
        if topics.info != self.infos.topic:
            self.calibration.forget()
        self._choose_topics()
        self._subscribe_all()
        self._log.info(f"images from {topics}, calibration from {topics.info}", cause="topics chosen", most=3)

    def close(self) -> None:
        """Release the subscriptions."""
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
            self._timer = None
        self._unsubscribe_all()
        self._end_video()

    def _end_video(self) -> None:
        if self._video is not None:
            self._video.close()
            self._video = None

    def _take_image(self, message: ImageMessage) -> None:
        self._take_numbered_image(message, {})

    def _take_numbered_image(self, message: ImageMessage, about: Mapping[str, Any]) -> None:
        self.last_image_time = time.monotonic()
        if not self.calibration.is_known:  # do not wait for the timer: images without a calibration are dropped
            self._fetch_latched()
        number = about.get("publication_sequence_number")
        if not self._tells_losses:
            self._count_gap(number)
        if not is_video(message):
            self._on_image(message, number)
            return
        if self._video is None:
            self._video = VideoInput(lambda picture: self._on_image(picture, None), self._on_left_out)
        self._video.take(message)

    def _count_gap(self, number: int | None) -> None:
        """Count the publications between two images as lost; of several publishers each counts its own."""
        last, self._last_number = self._last_number, number or 0
        if number is not None and last and self.images.count < 2 and 1 < number - last <= MOST_LOST:
            self._on_lost(number - last - 1)

    def _take_info(self, message: CameraInfo) -> None:
        self.calibration.take(message)

    def _warn_of_pixels(self, text: str) -> None:
        self._log.warning(f"{self.topics.image}: {text}", cause="pixels")

    def decode(self, message: ImageMessage) -> Pixels:
        """Pixels of an image message of this camera; raises ImageError."""
        if isinstance(message, VideoPicture):
            return to_pixels(message.picture)
        check_claimed_size(message)
        self._depth_refusal.check(self.topics.image, message)
        return self._decoder.decode(message)

    @property
    def topics(self) -> ImageTopics:
        """The topics that are subscribed to."""
        return self._choice.current

    def missing_info(self) -> tuple[str, str]:
        """Why there is no camera_info, and what to do, both in words."""
        return self._choice.missing_info(self.infos, self._remap_info)

    def silence(self, limit: float) -> str:
        """Why no image has come for more than `limit` seconds and what to do; empty if images come.

        Call it periodically: a publisher that has just appeared gets the same time.
        """
        now = time.monotonic()
        topic = self._choice.current.image
        publishers = self._node.count_publishers(topic)
        if publishers != self._count:
            self._count, self._publishers_since = publishers, now
        seconds = now - (self.last_image_time or self._started)
        if seconds <= limit:
            return ""
        begin = f"no image for {seconds:.0f} s: "
        if publishers == 0:
            return f"{begin}no publisher on {topic}; {self._choice.advice}"
        mismatch = self._choice.mismatch()
        if mismatch:
            return begin + mismatch
        reason = self.images.reason_against(self._image_qos)
        if reason:
            return f"{begin}the QoS of {self.images.nodes} on {topic} does not match ({reason}); {_qos_remedy(reason)}"
        if now - self._publishers_since <= limit:
            return ""
        if self.last_image_time is not None and self.last_image_time > self._publishers_since:
            stopped = "is its driver stalled, or a recording paused or over? Restart it"
            return f"{begin}{self.images.nodes} on {topic} sends no more, though still there; {stopped}"
        return (
            f"{begin}{publishers} publisher(s) on {topic} but nothing arrives; large images may get lost on the way "
            f"({large_message_remedy()}, or set image.reliability to reliable), or the QoS does not match"
        )


def check_claimed_size(message: Image | CompressedImage) -> None:
    """Raise ImageError for an image that claims more than any camera has, before anything is allocated for it."""
    width, height = claimed_size(message)
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise ImageError(
            f"image claims {width}x{height} pixels, expected at most {MOST_PIXELS} in all and {LONGEST_SIDE} a side"
        )


def _qos_remedy(reason: str) -> str:
    is_reliability = "reliab" in reason.lower() or "best effort" in reason.lower()
    return _REMEDIES["reliability"] if is_reliability else "change its QoS or qos_overrides"
