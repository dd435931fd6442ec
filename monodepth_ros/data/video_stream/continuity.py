# SPDX-License-Identifier: Apache-2.0
"""Lost packets of a stream, by the counts and times that its packets carry.

A decoder fills in what is missing without a word: H.264, VP8, VP9 and AV1 pictures that refer to a lost one come out
unmarked, made from another one.
"""

from collections import deque
from statistics import median

from monodepth_ros.data.video_stream.codecs import H264, HEVC
from monodepth_ros.data.video_stream.packets import Packet

# A count that goes up by more than this is no count of pictures but a time.
LARGEST_COUNT_STEP = 8
# Usual intervals after which a picture is missed: of a codec whose pictures say which others they need, and of others.
# The former have counters that begin again after 16 pictures at the least.
LONG_SILENCE, SHORT_SILENCE = 8.0, 1.8
INTERVALS = 15


class Continuity:
    """Watches the packets of a stream. Call `is_broken_by` with each packet that holds a picture, in order."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._counts_by_one = False
        self._stamp_ns = 0
        self._intervals: deque[int] = deque(maxlen=INTERVALS)

    def is_broken_by(self, packet: Packet, is_reordered: bool) -> bool:
        """Whether a packet is missing right before this one. is_reordered: the stream has pictures out of order."""
        by_number = self._number_jumps(packet, is_reordered)
        by_time = self._time_jumps(packet, is_reordered)
        # Where there is a count, a late picture is just that.
        return packet.is_after_gap or by_number or (by_time and not self._counts_by_one)

    def _number_jumps(self, packet: Packet, is_reordered: bool) -> bool:
        previous, self._number = self._number, packet.number
        if previous is None or packet.number is None:
            return False
        step = packet.number - previous
        self._counts_by_one |= step == 1
        return not is_reordered and step > 1 and (step <= LARGEST_COUNT_STEP or self._counts_by_one)

    def _time_jumps(self, packet: Packet, is_reordered: bool) -> bool:
        interval = packet.stamp_ns - self._stamp_ns
        if self._stamp_ns == 0 or interval <= 0:
            self._stamp_ns = max(self._stamp_ns, packet.stamp_ns)
            return False
        self._stamp_ns = packet.stamp_ns
        usual = median(self._intervals) if len(self._intervals) >= 3 else interval
        self._intervals.append(interval)
        limit = LONG_SILENCE if packet.codec in (H264, HEVC) or is_reordered else SHORT_SILENCE
        return interval > limit * usual
