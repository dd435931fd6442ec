# SPDX-License-Identifier: Apache-2.0
"""Times of a topic's first messages: stamps, receive times, and the clock that the stamps are of."""

import struct
from dataclasses import dataclass
from itertools import islice

import numpy as np

from monodepth_ros.data.bags.recording import RawMessage, Recording, RecordingError

LOOKED_AT = 31  # messages
# Stamps and receive times of one clock differ by the latency of the driver and the recorder. Larger differences between
# two topics than this are two clocks [ns].
SAME_CLOCK_NS = 5_000_000_000
# Differences above this one may be either: another clock, or a slow node or recorder [ns].
DOUBTFUL_NS = 1_000_000_000
_NS = 1_000_000_000


def stamp_of(message: RawMessage) -> int:
    """The stamp of a message that begins with a header or a time [ns]; 0 if it has none.

    Reads the bytes in place: for an image, far less work than the whole message.
    """
    if len(message.data) < 12:
        return 0
    sec, nanosec = struct.unpack_from("<iI" if message.data[1] & 1 else ">iI", message.data, 4)
    return int(sec) * _NS + int(nanosec)


@dataclass(frozen=True)
class MessageTimes:
    """Times of a topic's first messages. stamps_ns, received_ns: (N,) int64; the stamps as the messages state them."""

    topic: str
    stamps_ns: np.ndarray
    received_ns: np.ndarray

    @property
    def are_unstamped(self) -> bool:
        """Whether all stamps are 0."""
        return len(self.stamps_ns) > 0 and not self.stamps_ns.any()

    @property
    def interval_ns(self) -> int | None:
        """Median time from message to message [ns]; None for fewer than two messages."""
        return int(np.median(np.diff(self.received_ns))) if len(self.received_ns) > 1 else None

    @property
    def offset_ns(self) -> int | None:
        """Median of stamp - receive time [ns] of the stamped messages, 0 if none is; None without messages.

        A message without a stamp has its receive time plus this one.
        """
        if not len(self.stamps_ns):
            return None
        is_stamped = self.stamps_ns != 0
        return int(np.median((self.stamps_ns - self.received_ns)[is_stamped])) if is_stamped.any() else 0


def first_times(recording: Recording, topic: str) -> MessageTimes:
    """Times of the first messages of a topic whose type begins with a header or a time."""
    stamps, received = [], []
    try:
        for message in islice(recording.messages([topic]), LOOKED_AT):
            stamps.append(stamp_of(message))
            received.append(message.stamp_ns)
    except RecordingError:  # damaged: reading the messages raises it again
        pass
    return MessageTimes(topic, np.array(stamps, np.int64), np.array(received, np.int64))


def doubtful_clocks(images: MessageTimes, other: MessageTimes) -> str:
    """A warning for a topic whose stamps may be of another clock than the images', or an empty string."""
    if images.offset_ns is None or other.offset_ns is None:
        return ""
    difference = other.offset_ns - images.offset_ns
    if not DOUBTFUL_NS < abs(difference) <= SAME_CLOCK_NS:
        return ""
    direction, late = ("ahead of", "the images") if difference > 0 else ("behind", other.topic)
    seconds = abs(difference) * 1e-9
    return (
        f"by their receive times, the stamps of {other.topic} are {seconds:.1f} s {direction} those of the images:"
        f" right if {late} took that long to arrive, otherwise two clocks, and images go with wrong messages"
    )


def two_clocks(images: MessageTimes, other: MessageTimes) -> str:
    """The reason why a topic's stamps do not belong to the images', or an empty string."""
    if images.offset_ns is None or other.offset_ns is None:
        return ""
    if abs(images.offset_ns - other.offset_ns) <= SAME_CLOCK_NS:
        return ""
    at = [float(times.received_ns[0] + times.offset_ns) * 1e-9 for times in (images, other)]
    return (
        f"images are of {at[0]:.1f} s, {other.topic} of {at[1]:.1f} s: two clocks, so {other.topic} cannot be used; let"
        " one clock stamp both (a driver's option such as time sync or system time)"
    )
