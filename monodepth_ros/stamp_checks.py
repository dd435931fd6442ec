# SPDX-License-Identifier: Apache-2.0
"""Checks of message stamps: the clock that they come from, and whether a stamp continues those before it."""

from enum import Enum
from typing import NamedTuple

# A stamp this far from the receiver's clock [s] comes from another clock, so it has no age.
OTHER_CLOCK = 60.0
# A stamp may be ahead of the receiver's clock by this much [s]: /clock of a simulation comes in steps.
AHEAD = 2.0
# A time below this [s] (September 2001) counts from the start of a device, a simulation or a recording.
SINCE_EPOCH = 1e9
# After this time without a message [s] a series of stamps has ended.
SILENCE = 1.0
# A series that was left and went on is remembered for this long [s].
MEMORY = 10.0


class StampClock(Enum):
    """The clock of a stamp, compared with the clock of the receiver."""

    UNSTAMPED = "no stamp (zero)"
    UNKNOWN = "the receiver has no time yet (zero)"
    SAME = "the receiver's clock"
    SINCE_START = "a clock that counts from the start of something, while the receiver's counts from 1970"
    SINCE_1970 = "a clock that counts from 1970, while the receiver's does not"
    BEHIND = "a clock of the same kind that is behind the receiver's"
    AHEAD = "a clock of the same kind that is ahead of the receiver's"


def clock_of(stamp_ns: int, now_ns: int) -> StampClock:
    """The clock of a stamp that was received at now_ns on the receiver's clock, both in nanoseconds.

    A stamp may be older than now by OTHER_CLOCK and newer by AHEAD, for delays.
    """
    if stamp_ns == 0:
        return StampClock.UNSTAMPED
    if now_ns == 0:
        return StampClock.UNKNOWN
    stamp, now = stamp_ns * 1e-9, now_ns * 1e-9
    if -AHEAD <= now - stamp < OTHER_CLOCK:
        return StampClock.SAME
    if stamp < SINCE_EPOCH <= now:
        return StampClock.SINCE_START
    if now < SINCE_EPOCH <= stamp:
        return StampClock.SINCE_1970
    return StampClock.BEHIND if stamp < now else StampClock.AHEAD


class _Message(NamedTuple):
    stamp_ns: int
    received_ns: int

    def precedes(self, other: "_Message") -> bool:
        """Whether the other may be the next of the same series: not older, and not ahead of the time that passed."""
        step = other.stamp_ns - self.stamp_ns
        return step >= 0 and (step - (other.received_ns - self.received_ns)) * 1e-9 < OTHER_CLOCK

    def is_recent(self, now_ns: int) -> bool:
        return (now_ns - self.received_ns) * 1e-9 < SILENCE


class StampSeries:
    """Which messages continue a series of stamps, in the order of their arrival.

    A stamp that is older than the one before it, or far ahead of it without that time having passed, may be a late
    message, a wrong stamp or the beginning of a new series (a clock that was set, a recording that is played again). It
    does not continue the series. The next one decides: if it continues the odd stamp, that was the beginning of a new
    series, which is followed from here on. Where two series alternate, the one that is followed is kept until it is
    silent for SILENCE.
    """

    def __init__(self) -> None:
        self._last: _Message | None = None
        self._odd: _Message | None = None
        self._left: _Message | None = None
        self._mixed_until_ns = 0

    def continues(self, stamp_ns: int, received_ns: int) -> bool:
        """Whether a message continues the series. received_ns: time of arrival on a clock that never goes back."""
        message = _Message(stamp_ns, received_ns)
        if self._last is None or self._last.precedes(message):
            self._last, self._odd = message, None
            return True
        if self._left is not None and self._left.is_recent(received_ns) and self._left.precedes(message):
            self._left, self._mixed_until_ns = message, received_ns + int(MEMORY * 1e9)
        is_mixed = received_ns < self._mixed_until_ns and self._last.is_recent(received_ns)
        if self._odd is not None and self._odd.precedes(message) and not is_mixed:
            self._left, self._last, self._odd = self._last, message, None
            return True
        self._odd = message
        return False
