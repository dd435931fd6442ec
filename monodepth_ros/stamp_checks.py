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
# A step of a series may be ahead of the time that passed by this many times as much as the step before it.
STEPS = 3.0
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
    """ahead_ns: by how much its step from the message before it was longer than the time that passed meanwhile."""

    stamp_ns: int
    received_ns: int
    ahead_ns: int = 0

    def precedes(self, other: "_Message") -> bool:
        """Whether the other may be the next of the same series: not older, and not ahead of the time that passed.

        A recording that is played fast is ahead with every step, but by about as much as with the step before.
        """
        ahead_ns = self.then(other).ahead_ns
        return other.stamp_ns >= self.stamp_ns and ahead_ns < max(AHEAD * 1e9, STEPS * self.ahead_ns)

    def then(self, other: "_Message") -> "_Message":
        """The other as the next after this one."""
        step_ns, passed_ns = other.stamp_ns - self.stamp_ns, other.received_ns - self.received_ns
        return other._replace(ahead_ns=step_ns - passed_ns)

    def is_recent(self, now_ns: int) -> bool:
        return (now_ns - self.received_ns) * 1e-9 < SILENCE


class StampSeries:
    """Which messages continue a series of stamps, in the order of their arrival.

    A stamp that is older than the one before it, or far ahead of it without that time having passed, may be a late
    message, a wrong stamp or the beginning of a new series (a clock that was set, a recording that is played again). It
    does not continue the series. The next one decides: if it continues the odd stamp, that was the beginning of a new
    series, which is followed from here on. If the earlier series goes on all the same, it is followed again at once:
    the stamps in between were wrong, or another sender's. Where two series alternate, the elder is kept until it is
    silent for SILENCE.
    """

    def __init__(self) -> None:
        self._last: _Message | None = None
        self._odd: _Message | None = None
        self._elder: _Message | None = None
        self._left_out: _Message | None = None
        self._mixed_until_ns = 0

    def continues(self, stamp_ns: int, received_ns: int) -> bool:
        """Whether a message continues the series. received_ns: time of arrival on a clock that never goes back."""
        message, last, odd = _Message(stamp_ns, received_ns), self._last, self._odd
        if last is None or last.precedes(message):
            self._last, self._odd = message if last is None else last.then(message), None
            return True
        elder, left_out = self._elder, self._left_out
        if elder is not None and elder.is_recent(received_ns) and elder.precedes(message):
            self._left_out, self._last, self._elder, self._odd = last, elder.then(message), None, None
            self._mixed_until_ns = received_ns + int(MEMORY * 1e9)
            return True
        if left_out is not None and left_out.is_recent(received_ns) and left_out.precedes(message):
            self._left_out, self._mixed_until_ns = left_out.then(message), received_ns + int(MEMORY * 1e9)
        is_mixed = received_ns < self._mixed_until_ns and last.is_recent(received_ns)
        if odd is not None and odd.precedes(message) and not is_mixed:
            self._elder, self._last, self._odd = last, odd.then(message), None
            return True
        # A first step of a series that is played fast may be as long as it likes.
        self._odd = last.then(message) if stamp_ns >= last.stamp_ns and odd is None else message
        return False
