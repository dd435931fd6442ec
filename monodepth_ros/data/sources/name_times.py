# SPDX-License-Identifier: Apache-2.0
"""Times that image files carry in their names: seconds, nanoseconds, dates."""

import calendar
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

import numpy as np

from monodepth_ros.data.time_texts import UNITS, exact_ns, is_absolute
from monodepth_ros.limits import LATEST_TIME_NS

DIGITS = {19: "ns", 16: "us", 13: "ms", 10: "s"}  # of whole numbers since 1970
SPLIT_DATE = (4, 2, 2, 2, 2, 2)
SHORTEST_NS, LONGEST_NS = 500_000, 86_400_000_000_000  # median interval of times since 1970; a day is a slow time lapse
USUAL_SHARE = 2 / 3  # share of the names that must have one form
STEADY_SHARE, STEADY_RATIO = 0.8, 0.15  # of the intervals of times that are not since 1970

Groups = list[tuple[str, ...]]
"""Runs of digits at one place of all names."""


class NamedTimes(NamedTuple):
    """Times [ns] of the images by their number; those without a time in their name are missing."""

    stamps_ns: dict[int, int]

    @property
    def rate(self) -> float:
        """Images per second by the median interval; 0 for a single image."""
        stamps = np.sort(np.array(list(self.stamps_ns.values()), np.int64))
        return 1e9 / float(np.median(np.diff(stamps))) if len(stamps) > 1 else 0.0


def times_of_names(stems: Sequence[str]) -> NamedTimes | None:
    """The times that file names (without suffix) hold; None for numbers that merely count, and for other names.

    Accepted are, with any text around them that all names share: seconds (1305031102.175304), milli-, micro- and
    nanoseconds (1403636579763555584), seconds and nanoseconds (1305031102_175304000), dates (20240131_101530_123,
    2011-09-26-13-02-25-594360; taken as UTC), all of 1990 to 2100. Times that do not begin in 1970 are accepted as
    whole names only: decimal seconds (12.533333), and whole micro- or nanoseconds in steady steps. Every image needs a
    time of its own.
    """
    forms = [tuple(re.split(r"[0-9]+", stem)) for stem in stems]
    form, count = Counter(forms).most_common(1)[0]
    if count < USUAL_SHARE * len(stems) or len(form) < 2:
        return None
    numbers = [number for number, other in enumerate(forms) if other == form]
    groups = list(zip(*(re.findall(r"[0-9]+", stems[number]) for number in numbers)))
    for stamps in _readings(form, groups):
        if len(set(stamps)) == len(stamps):
            return NamedTimes(dict(zip(numbers, stamps)))
    return None


def _readings(texts: tuple[str, ...], groups: Groups) -> Iterator[list[int]]:
    """What the digits may mean, the most certain first. texts: the text before each group, and after the last one."""
    readers: tuple[Callable[[tuple[str, ...], Groups], list[int] | None], ...] = (_dates, _seconds, _whole_numbers)
    for reader in readers:
        for start in range(len(groups)):
            stamps: list[int] | None = None
            with suppress(ValueError):  # numbers that are no times
                stamps = reader(texts[start:], groups[start:])
            if stamps and all(map(is_absolute, stamps)) and SHORTEST_NS <= _interval(stamps) <= LONGEST_NS:
                yield stamps
    if texts == ("", ".", ""):
        with suppress(ValueError):
            yield from _steady([exact_ns(f"{whole}.{part}") for whole, part in zip(*groups)])
    if texts == ("", ""):
        yield from _counts_of_a_clock(groups[0])


def _dates(texts: tuple[str, ...], groups: Groups) -> list[int] | None:
    used = _widths(groups, len(SPLIT_DATE))
    if used == SPLIT_DATE:
        texts_of_date, rest = ["".join(parts) for parts in zip(*groups[:6])], 6
    elif used[:1] == (8,) and len(used) > 1 and used[1] in (6, 9, 12):
        texts_of_date, rest = ["".join(parts) for parts in zip(*groups[:2])], 2
    elif used[:1] and used[0] in (14, 17, 20):
        texts_of_date, rest = list(groups[0]), 1
    else:
        return None
    parts, separator = [text[14:] for text in texts_of_date], "."
    if not parts[0] and len(groups) > rest and texts[rest] in ("_", "-", ".", ","):
        parts, separator = list(groups[rest]), texts[rest]
    try:
        dates = [datetime.strptime(text[:14], "%Y%m%d%H%M%S") for text in texts_of_date]
    except ValueError:
        return None
    seconds = [calendar.timegm(date.timetuple()) for date in dates]
    return _with_fractions(seconds, separator, tuple(parts)) if parts[0] else [s * UNITS["s"] for s in seconds]


def _seconds(texts: tuple[str, ...], groups: Groups) -> list[int] | None:
    """Ten digits of seconds, then a fraction or nanoseconds."""
    if _widths(groups, 1) != (10,) or len(groups) < 2 or texts[1] not in (".", "_", "-", ","):
        return None
    return _with_fractions([int(text) for text in groups[0]], texts[1], groups[1])


def _whole_numbers(texts: tuple[str, ...], groups: Groups) -> list[int] | None:
    widths = _widths(groups, 1)
    if not widths or widths[0] not in DIGITS:
        return None
    has_decimals = len(groups) > 1 and texts[1] == "."
    parts = groups[1] if has_decimals else ("0",) * len(groups[0])
    return [exact_ns(f"{whole}.{part}", DIGITS[widths[0]]) for whole, part in zip(groups[0], parts)]


def _widths(groups: Groups, count: int) -> tuple[int, ...]:
    """Number of digits of the first groups, up to the first one whose numbers differ in it."""
    widths = []
    for group in groups[:count]:
        lengths = set(map(len, group))
        if len(lengths) != 1:
            break
        widths.append(lengths.pop())
    return tuple(widths)


def _with_fractions(seconds: list[int], separator: str, digits: tuple[str, ...]) -> list[int] | None:
    """Stamps [ns] of seconds and the digits after them; None if these merely count images, or are too many.

    Programs write them as decimals or, of unequal width, as a whole number without leading zeros: of the two readings
    the one with the steadier intervals counts; of equally steady ones decimals after a point, else whole numbers.
    """
    widths = set(map(len, digits))
    values = [int(text) for text in digits]
    if max(widths) > 9 or (len(values) > 2 and set(np.diff(values).tolist()) == {1}):
        return None
    decimals = [s * UNITS["s"] + int(text.ljust(9, "0")) for s, text in zip(seconds, digits)]
    if len(widths) == 1 or any(len(text) > 1 and text.startswith("0") for text in digits):
        return decimals
    unit = next(unit for width, unit in ((3, "ms"), (6, "us"), (9, "ns")) if max(widths) <= width)
    whole = [s * UNITS["s"] + value * UNITS[unit] for s, value in zip(seconds, values)]
    readings = (decimals, whole) if separator == "." else (whole, decimals)
    return min(readings, key=_unsteadiness)


def _unsteadiness(stamps: list[int]) -> float:
    """Standard deviation of the intervals over their mean; 0 for a single one."""
    steps = np.diff(np.sort(np.array(stamps, np.int64)))
    return float(np.std(steps) / max(1.0, np.mean(steps))) if len(steps) else 0.0


def _interval(stamps: list[int]) -> int:
    """Median interval of times in their order [ns]; for a single one SHORTEST_NS."""
    steps = np.diff(np.sort(np.array(stamps, np.int64)))
    return int(np.median(steps)) if len(steps) else SHORTEST_NS


def _steady(stamps: list[int]) -> Iterator[list[int]]:
    """The times if their intervals are of 1 ms to 10 s, and most of them alike."""
    steps = np.diff(np.sort(np.array(stamps, np.int64)))
    usual = float(np.median(steps)) if len(steps) else 0.0
    if not UNITS["ms"] <= usual <= 10 * UNITS["s"]:
        return
    alike = np.abs(steps / usual - np.rint(steps / usual).clip(1)) < STEADY_RATIO  # whole multiples are lost images
    if alike.mean() >= STEADY_SHARE:
        yield stamps


def _counts_of_a_clock(digits: tuple[str, ...]) -> Iterator[list[int]]:
    """Nano- or microseconds of a clock that begins anywhere, such as at power-on; frame numbers have smaller steps."""
    values = sorted(map(int, digits))
    step = float(np.median(np.diff(values))) if len(values) > 1 else 0.0
    if step >= 1e4 and values[-1] * (1 if step >= 1e7 else 1000) <= LATEST_TIME_NS:
        yield from _steady([int(text) * (1 if step >= 1e7 else 1000) for text in digits])
