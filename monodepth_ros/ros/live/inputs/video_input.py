# SPDX-License-Identifier: Apache-2.0
"""Live video: every packet of a camera is decoded, in order, in a thread of its own; the newest picture goes on."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from std_msgs.msg import Header

from monodepth_ros.data.images.image_codec import ImageError
from monodepth_ros.data.video_stream.codecs import TITLES
from monodepth_ros.data.video_stream.decoder import Outcome, StreamDecoder
from monodepth_ros.data.video_stream.packets import Packet, PacketParser
from monodepth_ros.errors import typed_line

# Messages that the middleware keeps for the subscription, several seconds of a camera.
QUEUE = 200
# With more packets waiting than this, those before the newest key frame are skipped.
BEHIND = 15
# With more than this, and no key frame among them, all of them are.
FAR_BEHIND = 150
# Messages in a row without a picture: parameter sets may come alone, but not that many.
PICTURELESS = 5


@dataclass(frozen=True)
class VideoPicture:
    """A decoded picture in the place of an image message. arrived: time of its packet (steady clock [s])."""

    header: Header
    width: int
    height: int
    picture: Any
    arrived: float


@dataclass(order=True, frozen=True)
class _Tag:
    """Order of a packet, and what its picture needs."""

    stamp_ns: int
    count: int
    message: Any = field(default=None, compare=False)
    arrived: float = field(default=0.0, compare=False)


class VideoInput:
    """Decoder of one camera's messages with video.

    on_picture: called with each VideoPicture, in the decoder's thread. on_left_out: called with the number of packets
    that give none and the reason; an empty reason means that newer ones replaced them.
    """

    def __init__(self, on_picture: Callable[[VideoPicture], None], on_left_out: Callable[[int, str], None]):
        self._on_picture, self._on_left_out = on_picture, on_left_out
        self._condition = threading.Condition()
        self._arrived: deque[tuple[Any, float]] = deque()
        self._is_stopping = False
        self._parser = PacketParser()
        self._decoder: StreamDecoder[_Tag] | None = None
        self._count = self._pictureless = 0
        self._thread = threading.Thread(target=self._run, name="video", daemon=True)
        self._thread.start()

    def take(self, message: Any) -> None:
        """Take over a message; returns at once."""
        with self._condition:
            self._arrived.append((message, time.perf_counter()))
            self._condition.notify()

    def close(self, timeout: float = 5.0) -> None:
        """End the thread; packets that wait are dropped."""
        with self._condition:
            self._is_stopping = True
            self._condition.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)

    def _run(self) -> None:
        waiting: deque[tuple[Packet, _Tag]] = deque()
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._is_stopping or self._arrived or waiting)
                if self._is_stopping:
                    return
                arrived, self._arrived = self._arrived, deque()
            try:
                self._parse(arrived, waiting)
                self._skip_ahead(waiting)
                if waiting:
                    self._decode(*waiting.popleft())
            except ImageError as error:
                self._on_left_out(1, str(error))
            except Exception as error:  # a bug must not end the camera
                self._on_left_out(1, f"video not decoded: {typed_line(error)}")

    def _parse(self, arrived: deque[tuple[Any, float]], waiting: deque[tuple[Packet, _Tag]]) -> None:
        while arrived:
            message, at = arrived.popleft()
            try:
                packet = self._parser.parse(message)
            except ImageError as error:
                self._on_left_out(1, str(error))
                continue
            if not self._is_of_use(packet):
                continue
            self._count += 1
            waiting.append((packet, _Tag(packet.stamp_ns, self._count, message, at)))

    def _is_of_use(self, packet: Packet) -> bool:
        """Whether to decode a packet: parameter sets are of use, but nothing that never has a picture is."""
        self._pictureless = 0 if packet.has_picture else self._pictureless + 1
        if packet.data and self._pictureless < PICTURELESS:
            return True
        found = "an empty message" if not packet.data else f"{self._pictureless} messages in a row without a picture"
        self._on_left_out(1, f"{TITLES[packet.codec]} video: {found}; check the encoder and the format that it states")
        return False

    def _skip_ahead(self, waiting: deque[tuple[Packet, _Tag]]) -> None:
        """Drop whole groups where the decoder does not keep up."""
        if len(waiting) <= BEHIND:
            return
        newest = next((i for i in range(len(waiting) - 1, -1, -1) if waiting[i][0].is_key), 0)
        dropped = newest or (len(waiting) if len(waiting) > FAR_BEHIND else 0)
        for _ in range(dropped):
            waiting.popleft()
        if dropped:
            self._decoder = None  # it goes on at a key frame
            self._on_left_out(dropped, "")

    def _decode(self, packet: Packet, tag: _Tag) -> None:
        if self._decoder is None:
            self._decoder = StreamDecoder()
        for outcome in self._decoder.feed(packet, tag):
            self._hand_on(outcome)

    def _hand_on(self, outcome: Outcome[_Tag]) -> None:
        if outcome.frame is None:
            self._on_left_out(1, outcome.reason)
            return
        frame, message = outcome.frame, outcome.tag.message
        header = getattr(message, "header", None) or Header(stamp=message.timestamp, frame_id=message.frame_id)
        self._on_picture(VideoPicture(header, frame.width, frame.height, frame, outcome.tag.arrived))
