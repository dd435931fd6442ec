# SPDX-License-Identifier: Apache-2.0
"""The judgement of every image that arrives for a camera: whose it is, and what its stamp is worth."""

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from monodepth_ros.data.images.compressed_size import compressed_size
from monodepth_ros.foreign_text import name_fault
from monodepth_ros.ros.live.inputs.publishers import Publishers
from monodepth_ros.ros.live.inputs.sender_choice import SenderChoice, Sign
from monodepth_ros.ros.live.inputs.video_input import VideoPicture
from monodepth_ros.ros.live.problems import Problems
from monodepth_ros.stamp_checks import StampClock, StampSeries, clock_of
from monodepth_ros.stamps import nanoseconds


class Arrival(NamedTuple):
    """An image message, its time of arrival (steady clock [s]), and its age on the node's clock ([ms], or NaN).

    sender: counts the cameras that were followed one after another. in_order: the stamp continues those before it.
    """

    message: Image | CompressedImage | VideoPicture
    time: float
    transport_ms: float
    sender: int = 0
    in_order: bool = True

    @property
    def header(self) -> Header:
        return self.message.header

    @property
    def stamp_ns(self) -> int:
        return nanoseconds(self.message.header.stamp)


class ImageFlow:
    """Turns image messages into arrivals, in the order in which they come, and notes what is wrong with them.

    images: the publishers of the topic. fit: how well the calibration fits images of a frame_id and size [px].
    """

    def __init__(
        self, node, images: Callable[[], Publishers], fit: Callable[[str, tuple[int, int]], int], problems: Problems
    ):
        self._node = node
        self._images = images
        self._problems = problems
        self._senders = SenderChoice(lambda: images().count, lambda sign: fit(sign.frame_id, sign.size))
        self._series, self._sender = StampSeries(), 0
        self._out_of_order = self._odd = 0

    @property
    def left_out(self) -> int:
        """Number of images of other cameras on the topic."""
        return self._senders.left_out

    def admit(self, message: Image | CompressedImage | VideoPicture, number: int | None) -> Arrival | None:
        """The arrival of an image; None for an image of another camera on the same topic.

        An image without a stamp gets the time of its arrival, and one whose frame_id is no name (too long, or not
        printable) an empty frame_id. number: of the publication, None if unknown.
        """
        now, header = time.perf_counter(), message.header
        if isinstance(message, VideoPicture):
            now = message.arrived
        fault = name_fault(header.frame_id)
        if fault:
            header.frame_id = ""
            self._note_frame_id(fault)
        stamp_ns = nanoseconds(header.stamp)
        sign = Sign(header.frame_id, claimed_size(message), number, stamp_ns)
        if not self._senders.takes(sign, now):
            return None
        if self._senders.number != self._sender:
            self._series, self._sender = StampSeries(), self._senders.number
        clock_time = self._node.get_clock().now()
        clock_ns = clock_time.nanoseconds
        clock = clock_of(stamp_ns, clock_ns)
        if clock is StampClock.UNSTAMPED and clock_ns:
            header.stamp = clock_time.to_msg()
        if self._senders.odd > self._odd:
            self._note_odd()
        if self._senders.is_odd:  # depth without odometry: its stamp says nothing about those of the camera
            return Arrival(message, now, math.nan, self._sender, in_order=False)
        in_order = self._series.continues(nanoseconds(header.stamp), int(now * 1e9))
        if in_order:
            self._note_clock(clock, stamp_ns, clock_ns)
        else:
            self._note_order(stamp_ns)
        transport_ms = 1e-6 * (clock_ns - stamp_ns) if clock is StampClock.SAME and stamp_ns <= clock_ns else math.nan
        return Arrival(message, now, transport_ms, self._sender, in_order and self._senders.is_certain(now))

    def _note_frame_id(self, fault: str) -> None:
        self._problems.note(
            "frame_id",
            f"images on {self._images().topic} have a frame_id that {fault}: everything is published without one; set "
            "it in the camera driver",
            is_lasting=True,
        )

    def _note_odd(self) -> None:
        self._odd = self._senders.odd
        self._problems.note(
            "odd image",
            f"{self._odd} image(s) on {self._images().topic} of another frame_id or size than those before and after, "
            f"which are of {self._senders.chosen}, gave depth but no odometry so far: check the driver",
            is_lasting=True,
        )

    def note_senders(self) -> None:
        """Note several cameras on the topic. Call it periodically."""
        images, now, senders = self._images(), time.perf_counter(), self._senders
        others = " and ".join(self._words(sign) for sign in senders.others(now))
        if (images.count < 2 and not others) or not images.are_named:
            return
        found = f"{images.count} nodes publish {images.topic}: {images.nodes}"
        remedy = "stop all but one, or remap their topics"
        if images.count < 2:
            found, remedy = f"{images.topic} mixes images of several cameras", "give each camera a topic of its own"
        used = ""
        if others and senders.is_certain(now):
            used = (
                f"; the images of {senders.chosen} are used, {senders.left_out} other image(s) ({others}) were left out"
            )
        elif others:
            used = "; they cannot be told apart (same frame_id and size), so odometry waits"
        self._problems.note("senders", f"{found}{used}; {remedy}", is_lasting=True)

    def _words(self, sign: Sign) -> str:
        """The sign of another camera; with its time if nothing else differs."""
        chosen = self._senders.chosen
        return f"{sign}, stamped {sign.stamp_ns * 1e-9:.0f} s" if str(sign) == str(chosen) else str(sign)

    def _note_clock(self, clock: StampClock, stamp_ns: int, clock_ns: int) -> None:
        if clock is StampClock.SAME:
            return
        topic, stamp, now = self._images().topic, stamp_ns * 1e-9, clock_ns * 1e-9
        stated = f"images on {topic} are stamped {stamp:.3f} s, but this node's clock says {now:.3f} s"
        text = {
            StampClock.UNSTAMPED: f"images on {topic} carry no stamp (zero): the time of their arrival is used, "
            "which is late and uneven; let the camera driver fill header.stamp",
            StampClock.UNKNOWN: "use_sim_time is true, but nothing publishes /clock, so this node's time is 0; play "
            "with --clock, or set use_sim_time to false",
            StampClock.SINCE_START: f"{stated}: the driver's clock does not count from 1970; let the driver stamp with "
            "ROS time, or, for a simulation or recording, publish /clock and set use_sim_time",
            StampClock.SINCE_1970: f"{stated}: the driver does not follow /clock; set use_sim_time for it, or to false "
            "here",
            StampClock.BEHIND: f"{stated}: play a recording with --clock and set use_sim_time, or synchronise the "
            "clocks of the computers",
            StampClock.AHEAD: f"{stated}: synchronise the clocks of the computers, or, for a simulation, set "
            "use_sim_time",
        }[clock]
        if clock is StampClock.UNSTAMPED and not clock_ns:
            text = f"images on {topic} carry no stamp (zero): depth goes on, odometry needs their times"
        self._problems.note("clock", text, is_lasting=True)

    def _note_order(self, stamp_ns: int) -> None:
        self._out_of_order += 1
        self._problems.note(
            "order",
            f"{self._out_of_order} image(s) on {self._images().topic} with a stamp that does not follow the one before "
            f"(last: {stamp_ns * 1e-9:.3f} s) gave depth but no odometry so far: a wrong, late or repeated time in the "
            "driver, a clock that was set, or a recording that is played again",
            is_lasting=True,
        )


def claimed_size(message: Image | CompressedImage | VideoPicture) -> tuple[int, int]:
    """(width, height) [pixels] that a message or the head of its picture states; (0, 0) if unknown."""
    return compressed_size(message.data) if isinstance(message, CompressedImage) else (message.width, message.height)
