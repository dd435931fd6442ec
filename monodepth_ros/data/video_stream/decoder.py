# SPDX-License-Identifier: Apache-2.0
"""Decoding of one stream: packets in, pictures out, and never a picture that was made without all that it needs."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Generic, NamedTuple, TypeVar

from monodepth_ros.data.video_stream.codecs import AV1, H264, HEVC, TITLES, import_av
from monodepth_ros.data.video_stream.continuity import Continuity
from monodepth_ros.data.video_stream.packets import Packet
from monodepth_ros.limits import MOST_VIDEO_PIXELS

Tag = TypeVar("Tag")

# Why a packet of video gives no picture; the codec stands before.
BEFORE_KEY = "video before its first key frame"
AFTER_LOSS = "video after a lost packet, up to the next key frame"
DAMAGED = "video after a packet that cannot be decoded, up to the next key frame"
WITHOUT_SETS = "video without parameter sets (SPS, PPS), which its encoder has to repeat with each key frame"
NEVER_DECODED = (
    "video that cannot be decoded: check its encoder, or record it as Image or JPEG"
    " (`ros2 run image_transport republish`)"
)
# Pictures that a decoder may hold back until it knows their order.
LONGEST_DELAY = 16
# Pictures from a recovery point to the first whole one, at most.
LONGEST_RECOVERY = 300
# Bytes of packets without a picture that are kept for the next one: parameter sets have some hundred.
LONGEST_PREFIX = 2**20
_DECODERS = {AV1: ("libdav1d", "av1")}


class Outcome(NamedTuple, Generic[Tag]):
    """What came of a packet. tag: as given with it. frame: av.VideoFrame, or None and the reason in words."""

    tag: Tag
    frame: Any
    reason: str = ""


class StreamDecoder(Generic[Tag]):
    """Decoder of one stream.

    `feed` takes the packets in their order, each with a tag that can be compared, such as its times. Every packet with
    a picture has one outcome, sooner or later; outcomes are in the order in which the pictures are shown. A picture has
    the tag of its own packet. Where a stream has pictures out of order and its tags ascend nevertheless, they are those
    of the moments of coding, and the pictures get them in the order in which they are shown.

    Decoding begins at a key frame (or at a recovery point, from which pictures become whole bit by bit). After a lost
    or damaged packet all pictures up to the next key frame are left out.
    parameter_sets: for a stream whose key frames lack them. `feed` raises ImageError without PyAV.
    """

    def __init__(self, parameter_sets: bytes = b"") -> None:
        self._av: Any = None
        self._parameter_sets = parameter_sets
        self._continuity = Continuity()
        self._context: Any = None
        self._codec = self._title = ""
        self._trouble = BEFORE_KEY
        self._has_decoded = False
        self._prefix = b""
        self._has_begun_anew = False
        self._count = 0
        self._pending: dict[int, Tag] = {}
        # Why pictures are missing at first, where decoding began at a recovery point; '' once one is whole.
        self._recovering = ""
        self._newest_tag: Tag | None = None
        self._has_tags_of_pictures = False

    def feed(self, packet: Packet, tag: Tag) -> list[Outcome[Tag]]:
        """Outcomes that are known with this packet, of it and of earlier ones."""
        return self._in_words(self._feed(packet, tag))

    def flush(self) -> list[Outcome[Tag]]:
        """Outcomes of the pictures that the decoder still holds; decoding goes on only at a key frame."""
        return self._in_words(self._stop(self._trouble or BEFORE_KEY))

    def _feed(self, packet: Packet, tag: Tag) -> list[Outcome[Tag]]:
        if not packet.has_picture:
            self._prefix = (self._prefix + packet.data)[-LONGEST_PREFIX:]
            return []
        if self._newest_tag is not None and tag < self._newest_tag:
            self._has_tags_of_pictures = True
        self._newest_tag = tag
        outcomes: list[Outcome[Tag]] = []
        self._title = TITLES[packet.codec]
        if self._av is None:
            self._av = import_av(f"this is {self._title} video")
        is_lost = self._continuity.is_broken_by(packet, self._is_reordered)
        if not packet.is_key and (is_lost or packet.is_corrupt) and not self._trouble:
            outcomes += self._stop(AFTER_LOSS if is_lost else DAMAGED)
        if packet.is_key and (self._trouble or is_lost or packet.codec != self._codec):
            outcomes += self._begin(packet)
        elif packet.is_key:
            self._has_begun_anew = False
        if not self._trouble and packet.is_leading and self._has_begun_anew:
            return [*outcomes, Outcome(tag, None, BEFORE_KEY)]
        if self._trouble:
            self._prefix = b""
            return [*outcomes, Outcome(tag, None, self._trouble)]
        return outcomes + self._decode(packet, tag)

    @property
    def _is_reordered(self) -> bool:
        return self._context is not None and bool(self._context.has_b_frames)

    def _in_words(self, outcomes: list[Outcome[Tag]]) -> list[Outcome[Tag]]:
        """The outcomes with the codec before their reasons."""
        found = []
        for outcome in outcomes:
            reason = outcome.reason
            if reason:
                reason = NEVER_DECODED if reason == DAMAGED and not self._has_decoded else reason
                outcome = outcome._replace(reason=f"{self._title} {reason}")
            found.append(outcome)
        return found

    def _begin(self, packet: Packet) -> list[Outcome[Tag]]:
        recovering = BEFORE_KEY if self._trouble == BEFORE_KEY else AFTER_LOSS
        outcomes = self._stop("")
        self._recovering = recovering if packet.is_gradual else ""
        self._codec = packet.codec
        self._context = self._new_context(packet.codec)
        self._has_begun_anew = True
        sets = packet.parameter_sets or self._parameter_sets
        if packet.codec in (H264, HEVC) and not sets and not self._prefix:
            self._trouble = WITHOUT_SETS
        self._prefix = sets + self._prefix
        return outcomes

    def _stop(self, trouble: str) -> list[Outcome[Tag]]:
        """Take what the decoder still holds, and end it."""
        outcomes: list[Outcome[Tag]] = []
        if self._context is not None:
            with suppress(self._av.error.FFmpegError):  # what was held is counted below
                outcomes = list(self._shown(self._context.decode(None)))
            self._context = None
        outcomes += [Outcome(tag, None, self._recovering or DAMAGED) for tag in self._pending.values()]
        self._pending, self._recovering = {}, ""
        self._trouble = trouble
        return outcomes

    def _decode(self, packet: Packet, tag: Tag) -> list[Outcome[Tag]]:
        coded = self._av.Packet(self._prefix + packet.data)
        self._prefix = b""
        coded.pts = self._count
        self._pending[self._count] = tag
        self._count += 1
        try:
            outcomes = list(self._shown(self._context.decode(coded)))
        except self._av.error.FFmpegError:
            return self._stop(DAMAGED)
        if any(outcome.reason == DAMAGED for outcome in outcomes):
            return outcomes + self._stop(DAMAGED)
        # A decoder that skips a picture says nothing.
        longest = LONGEST_RECOVERY if self._recovering else LONGEST_DELAY if self._is_reordered else 0
        return outcomes + self._stop(DAMAGED) if len(self._pending) > longest else outcomes

    def _shown(self, frames: list[Any]) -> Iterator[Outcome[Tag]]:
        for frame in frames:
            tag = self._pending.get(frame.pts)
            if tag is None:
                continue
            yield from self._unfinished_before(frame.pts)
            number = frame.pts
            if self._is_reordered and not self._has_tags_of_pictures:
                number = min(self._pending, key=self._pending.__getitem__)
            tag = self._pending[number]
            # The picture's own tag stays for the one whose tag it takes.
            self._pending[number] = self._pending[frame.pts]
            del self._pending[frame.pts]
            self._has_decoded |= not frame.is_corrupt
            yield Outcome(tag, None, DAMAGED) if frame.is_corrupt else Outcome(tag, frame)

    def _unfinished_before(self, number: int) -> Iterator[Outcome[Tag]]:
        """The first pictures after a recovery point, which were never whole."""
        if self._recovering:
            first = number - (LONGEST_DELAY if self._is_reordered else 0)
            for early in [one for one in self._pending if one < first]:
                yield Outcome(self._pending.pop(early), None, self._recovering)
            self._recovering = ""

    def _new_context(self, codec: str) -> Any:
        for name in _DECODERS.get(codec, (codec,)):
            try:
                context = self._av.CodecContext.create(name, "r")
            except self._av.error.FFmpegError:
                continue
            except ValueError:
                continue
            # Frames in several threads come out late.
            context.thread_count = 1
            # Headers state the size, by which decoders allocate.
            context.options = {"max_pixels": str(MOST_VIDEO_PIXELS)}
            return context
        raise AssertionError(f"PyAV has no decoder for {codec}")
