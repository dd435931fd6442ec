# SPDX-License-Identifier: Apache-2.0
"""Playback of a recording: its messages, published at their recorded times."""

import importlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rclpy
from builtin_interfaces.msg import Time
from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from rosgraph_msgs.msg import Clock

from monodepth_ros.data.bags.recording import RawMessage, Recording, RecordingError, Topic
from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.ros.end_request import EndRequest
from monodepth_ros.ros.log_folder import with_usable_log

# Messages kept for reliable subscribers: discovery in both directions can take seconds on a busy machine.
SHORTEST_QUEUE, LONGEST_QUEUE = 10, 1000
QUEUE_BYTES = 64 * 2**20
CLOCK_TOPIC = "/clock"
SHORTEST_LOOP = 0.1  # seconds
POLL_PERIOD = 0.02  # seconds between counts of the subscribers
MATCHING_TIME = 0.2  # seconds for a subscriber to discover a publisher that has discovered it
LAST_DELIVERY_TIME = 1.0  # seconds granted to reliable subscribers at the end


@dataclass(frozen=True)
class PlaybackOptions:
    """How to play. Times are recorded seconds, except `delay` and `wait_timeout`, which are real seconds."""

    rate: float = 1.0
    loop: bool = False
    clock_rate: float = 0.0  # hertz; 0: do not publish /clock
    start_offset: float = 0.0
    duration: float = float("inf")
    topics: tuple[str, ...] = ()  # empty: all
    remappings: dict[str, str] = field(default_factory=dict)
    best_effort: bool = False
    wait_subscribers: int = 0
    wait_timeout: float = float("inf")
    delay: float = 0.0


def split_ros_arguments(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Separate (own, ROS) arguments: ROS arguments stand between --ros-args and -- or the end.

    rclpy's own function for this would also take the old:=new of --remap.
    """
    own: list[str] = []
    ros: list[str] = []
    target = own
    for argument in arguments:
        if argument == "--ros-args":
            target = ros
        if argument == "--" and target is ros:
            target = own
            continue
        target.append(argument)
    return own, ros


@contextmanager
def start_ros(ros_arguments: list[str]) -> Iterator[None]:
    """Run a block with rclpy initialised, without its signal handlers. MonodepthError for bad ROS arguments."""
    try:
        rclpy.init(args=with_usable_log(["play", *ros_arguments]), signal_handler_options=SignalHandlerOptions.NO)
    except Exception as error:  # rclpy's own classes differ between distributions
        raise MonodepthError(f"ROS 2 does not start: {one_line(error, 200)}") from error
    try:
        yield
    finally:
        rclpy.try_shutdown()


def is_latched(topic: Topic) -> bool:
    """Whether late subscribers get the last messages of a topic, too."""
    return topic.latched or topic.name.endswith("/tf_static")


class BagPlayer:
    """Play one recording until its end or until `stop` is set, whichever comes first.

    Publishes the recorded bytes. Message i is due at start + (t_i - t_0) / rate on a steady clock, so that errors do
    not add up; a late message goes out at once, and none is dropped. Raises RecordingError for a recording that cannot
    be read and for an unknown topic.
    """

    def __init__(self, path: str | Path, options: PlaybackOptions, stop: EndRequest) -> None:
        self._options = options
        self._stop = stop
        self._recording = Recording(path)
        try:
            self._node = rclpy.create_node("bag_player", enable_rosout=False, start_parameter_services=False)
            self._publishers = self._create_publishers()
        except BaseException:
            self.close()
            raise
        self._clock = self._node.create_publisher(Clock, CLOCK_TOPIC, 10) if options.clock_rate else None
        self._clock_due = 0.0
        self._published = 0

    def __enter__(self) -> "BagPlayer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the recording and leave the graph."""
        self._recording.close()
        if hasattr(self, "_node"):
            self._node.destroy_node()

    def play(self) -> None:
        """Play in the calling thread; print the topics played, the topics skipped and a closing line."""
        self._announce()
        self._wait_for_subscribers()
        self._stop.wait(self._options.delay)
        begin = pass_begin = time.monotonic()
        played = self._play_once()
        while self._options.loop and not self._stop.is_set():
            # A recording of one instant would otherwise be published as fast as the machine can.
            self._stop.wait(max(0.0, SHORTEST_LOOP - (time.monotonic() - pass_begin)))
            pass_begin = time.monotonic()
            played += self._play_once()
        seconds = time.monotonic() - begin
        if not self._stop.is_set():
            self._wait_for_delivery()
        for recorded in self._publishers:
            for reason, count in self._recording.lost(recorded).items():
                _say(f"left out of {recorded}: {count} messages in {reason}")
        how = "stopped after" if self._stop.is_set() else "played"
        _say(
            f"{how} {self._published} messages in {seconds:.2f} s "
            f"({self._published / max(seconds, 1e-9):.1f} messages/s, rate {played / max(seconds, 1e-9):.2f})"
        )

    def _create_publishers(self) -> dict[str, Any]:
        wanted = [self._recording.topic(name) for name in self._options.topics]
        publishers = {}
        for topic in wanted or self._recording.topics.values():
            if not topic.count:
                continue
            if self._options.clock_rate and topic.name == CLOCK_TOPIC:
                _say(f"skipping the recorded {CLOCK_TOPIC}: --clock publishes it")
                continue
            name = topic.name if topic.name.startswith("/") else f"/{topic.name}"
            name = self._options.remappings.get(name, name)
            try:
                publishers[topic.name] = self._node.create_publisher(
                    _message_class(topic.type), name, self._quality_of_service(topic)
                )
            except Exception as error:  # import and type-support errors of many classes; invalid topic names
                _say(f"skipping {topic.name}: {topic.type} cannot be published here ({one_line(error, 200)})")
        if not publishers:
            raise RecordingError(f"nothing to play: no topic of {self._recording.path} can be published")
        return publishers

    def _quality_of_service(self, topic: Topic) -> QoSProfile:
        latched = is_latched(topic)
        best_effort = self._options.best_effort and not latched
        return QoSProfile(
            history=HistoryPolicy.KEEP_LAST,
            depth=self._queue_depth(topic),
            reliability=ReliabilityPolicy.BEST_EFFORT if best_effort else ReliabilityPolicy.RELIABLE,
            durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
        )

    def _queue_depth(self, topic: Topic) -> int:
        message = next(iter(self._recording.messages([topic.name])), None)
        fitting = QUEUE_BYTES // max(1, len(message.data)) if message else 0
        return max(SHORTEST_QUEUE, min(LONGEST_QUEUE, fitting))

    def _announce(self) -> None:
        _say(f"playing {self._recording.path}: {self._recording.duration:.2f} s at rate {self._options.rate:g}")
        for recorded, publisher in self._publishers.items():
            topic = self._recording.topics[recorded]
            _say(f"  {publisher.topic_name}  {topic.type}  {topic.count} messages")
        for note in self._recording.notes:
            _say(f"note: {note}")

    def _wait_for_subscribers(self) -> None:
        wanted = self._options.wait_subscribers
        deadline = time.monotonic() + self._options.wait_timeout
        is_announced = False
        while not self._stop.is_set() and (count := self._subscription_count()) < wanted:
            if time.monotonic() > deadline:
                _say(f"only {count} of {wanted} subscribers came within {self._options.wait_timeout:g} s")
                return
            if not is_announced:
                _say(f"waiting for {wanted} subscribers")
                is_announced = True
            self._stop.wait(POLL_PERIOD)
        if wanted:
            self._stop.wait(MATCHING_TIME)

    def _subscription_count(self) -> int:
        """Subscriptions of the topics that a late subscriber would miss something of."""
        topics = self._recording.topics
        counted = [p for name, p in self._publishers.items() if not is_latched(topics[name])]
        return sum(publisher.get_subscription_count() for publisher in counted or self._publishers.values())

    def _play_once(self) -> float:
        """Play the recording once; the recorded seconds that went by."""
        first_ns = self._recording.start_ns + round(self._options.start_offset * 1e9)
        last_ns = self._recording.end_ns
        if self._options.duration != float("inf"):
            last_ns = min(last_ns, first_ns + round(self._options.duration * 1e9))
        self._publish_latched_before(first_ns)
        begin = self._clock_due = time.monotonic()
        position_ns = first_ns
        for message in self._recording.messages(self._publishers, first_ns, last_ns + 1):
            due = begin + (message.stamp_ns - first_ns) * 1e-9 / self._options.rate
            self._sleep_until(due, begin, first_ns)
            if self._stop.is_set():
                break
            self._publish(message)
            position_ns = message.stamp_ns
        return (position_ns - first_ns) * 1e-9

    def _publish_latched_before(self, first_ns: int) -> None:
        """Publish the latched messages before the start offset, such as static transforms."""
        latched = [t for t in self._publishers if is_latched(self._recording.topics[t])]
        if latched and self._options.start_offset > 0:
            for message in self._recording.messages(latched, stop_ns=first_ns):
                self._publish(message)

    def _publish(self, message: RawMessage) -> None:
        self._publishers[message.topic].publish(message.data)
        self._published += 1

    def _sleep_until(self, due: float, begin: float, first_ns: int) -> None:
        """Wait until `due`, and publish /clock meanwhile."""
        while not self._stop.is_set():
            now = time.monotonic()
            if self._clock is not None and now >= self._clock_due:
                elapsed_ns = round((now - begin) * self._options.rate * 1e9)
                seconds, nanoseconds = divmod(first_ns + elapsed_ns, 10**9)
                self._clock.publish(Clock(clock=Time(sec=seconds, nanosec=nanoseconds)))
                self._clock_due = max(self._clock_due + 1.0 / self._options.clock_rate, now)
            if now >= due:
                return
            wake = due if self._clock is None else min(due, self._clock_due)
            self._stop.wait(wake - now)

    def _wait_for_delivery(self) -> None:
        deadline = time.monotonic() + LAST_DELIVERY_TIME
        for publisher in self._publishers.values():
            remaining = deadline - time.monotonic()
            if remaining > 0 and not self._stop.is_set():
                publisher.wait_for_all_acked(Duration(seconds=remaining))


def _message_class(name: str) -> Any:
    package, _, kind = name.split("/")
    return getattr(importlib.import_module(f"{package}.msg"), kind)


def _say(text: str) -> None:
    print(text, flush=True)
