# SPDX-License-Identifier: Apache-2.0
"""The choice of one camera among those that send to one image topic. Knows no ROS."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from monodepth_ros.foreign_text import shown
from monodepth_ros.stamp_checks import OTHER_CLOCK

# Another sender is followed once the present one has been silent for this long [s], or for PERIODS of its images.
SILENCE = 1.0
PERIODS = 3.0
LONGEST_SILENCE = 10.0
# Publications of one sender that may get lost in a row. Two senders whose numbers are nearer than that can be mistaken
# for each other.
LOST_IN_A_ROW = 50
# Other senders that are remembered, and that are named.
MOST_OTHERS, NAMED = 16, 4


class Sign(NamedTuple):
    """What tells the senders of images apart.

    frame_id: of the image's header. size: (width, height) in pixels, (0, 0) if unknown. number: of the publication,
    counted by its publisher; None where the middleware tells none. stamp_ns: the image's time in nanoseconds.
    """

    frame_id: str
    size: tuple[int, int]
    number: int | None = None
    stamp_ns: int = 0

    def __str__(self) -> str:
        size = f", {self.size[0]}x{self.size[1]}" if self.size[0] else ""
        return f"frame {shown(self.frame_id)!r}{size}"


@dataclass
class _Sender:
    sign: Sign
    first_seen: float
    seen: float
    period: float = 0.0
    was_left_out: bool = False

    def has_sent(self, sign: Sign, now: float, by_number: bool) -> bool:
        """Whether an image is this sender's. by_number: publishers differ in their numbers and clocks."""
        last = self.sign
        if last.frame_id != sign.frame_id or not _may_be_same(last.size, sign.size):
            return False
        if not by_number:
            return True
        if last.number is not None and sign.number is not None and not 0 < sign.number - last.number <= LOST_IN_A_ROW:
            return False
        return self.shares_clock(sign, now)

    def shares_clock(self, sign: Sign, now: float) -> bool:
        """Whether the stamp of an image that arrives now is of the clock of this sender's stamps."""
        step = (sign.stamp_ns - self.sign.stamp_ns) * 1e-9 - (now - self.seen)
        return abs(step) < OTHER_CLOCK

    def take(self, sign: Sign, now: float) -> None:
        self.period, self.seen = now - self.seen, now
        self.sign = sign if sign.size[0] else sign._replace(size=self.sign.size)

    def is_silent(self, now: float) -> bool:
        return now - self.seen >= min(max(SILENCE, PERIODS * self.period), LONGEST_SILENCE)


class SenderChoice:
    """Which images of a topic are one camera's.

    The first camera is kept while it sends, unless the calibration fits another one better. A topic with one publisher
    may change its frame_id or size at any time (a new resolution), unless the earlier images come again at once: then
    it was one odd image, or somebody mixes several cameras into the topic. The first image of the change is odd until
    the next one decides. A camera that is silent for SILENCE or a few periods is replaced by the one
    that sends.

    publishers: number of the topic's publishers, asked for when an image differs from the one before it. fit: how well
    the calibration fits images of this frame_id and size, higher is better.

    left_out: number of images of other cameras. chosen: the sign of the last image taken. others: signs of the last
    images that were left out, of cameras that still send. number: counts the cameras taken one after another. is_odd:
    the last image taken may be of another camera than those before and after it. odd: number of images that were.
    """

    def __init__(self, publishers: Callable[[], int], fit: Callable[[Sign], int]):
        self._publishers = publishers
        self._fit = fit
        self._current: _Sender | None = None
        self._others: list[_Sender] = []
        self._candidate: _Sender | None = None
        self._doubtful_until = 0.0
        self._followed_since = 0.0
        self.left_out = 0
        self.number = 0
        self.odd = 0

    @property
    def is_odd(self) -> bool:
        return self._candidate is not None

    @property
    def chosen(self) -> Sign | None:
        return self._current.sign if self._current is not None else None

    def others(self, now: float) -> list[Sign]:
        """The other cameras that still send: a resolution that was left and a single odd image are none."""
        others = [one for one in self._others if one.was_left_out and one.seen > self._followed_since]
        return [sender.sign for sender in others if not sender.is_silent(now)][-NAMED:]

    def is_certain(self, now: float) -> bool:
        """Whether the images taken are of one camera for sure. now: steady clock [s]."""
        return now >= self._doubtful_until

    def takes(self, sign: Sign, now: float) -> bool:
        """Whether to take an image that arrives now (steady clock [s])."""
        current = self._current
        if current is None:
            self._follow(_Sender(sign, now, now))
            return True
        several = self._publishers() > 1
        candidate, self._candidate = self._candidate, None
        if current.has_sent(sign, now, several):
            current.take(sign, now)
            if candidate is not None:
                self.odd += 1
                self._remember(candidate)
            return True
        if candidate is not None and candidate.has_sent(sign, now, several):
            candidate.take(sign, now)
            self._remember(current)
            self._follow(candidate)
            return True
        self._others = [sender for sender in self._others if not sender.is_silent(now)]
        sender = next((other for other in self._others if other.has_sent(sign, now, several)), None)
        is_contested = (several or sender is not None) and not current.is_silent(now)
        if sender is None:
            sender = _Sender(sign, now, now)
            if not several and not current.is_silent(now) and self._fit(sign) <= self._fit(current.sign):
                self._candidate = sender
                return True
        else:
            self._others.remove(sender)
            sender.take(sign, now)
        if is_contested and not self._prefers(sender, current):
            sender.was_left_out = True
            self._remember(sender)
            self._leave_out(sign, current, now)
            return False
        if not current.is_silent(now):
            self._remember(current)
        self._follow(sender)
        return True

    def _prefers(self, sender: _Sender, current: _Sender) -> bool:
        fits, fits_now = self._fit(sender.sign), self._fit(current.sign)
        return fits > fits_now or (fits == fits_now and sender.first_seen < current.first_seen)

    def _follow(self, sender: _Sender) -> None:
        self._current, self._followed_since = sender, sender.seen
        self.number += 1

    def _remember(self, sender: _Sender) -> None:
        self._others = [*self._others, sender][-MOST_OTHERS:]

    def _leave_out(self, sign: Sign, current: _Sender, now: float) -> None:
        self.left_out += 1
        numbers = sign.number, current.sign.number
        is_near = None not in numbers and abs(numbers[0] - numbers[1]) <= LOST_IN_A_ROW
        if sign[:2] == current.sign[:2] and is_near and current.shares_clock(sign, now):
            self._doubtful_until = now + 2.0 * SILENCE


def _may_be_same(size: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two sizes are equal, as far as known: a damaged image has none."""
    return size == other or (0, 0) in (size, other)
