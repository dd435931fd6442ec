# SPDX-License-Identifier: Apache-2.0
"""Times written as text, in seconds down to nanoseconds, as whole nanoseconds.

A stamp such as 1403636579763555584 has more digits than a float holds, so nothing here computes with floats.
"""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

import numpy as np

from monodepth_ros.foreign_text import shown
from monodepth_ros.limits import EARLIEST_TIME_NS, LATEST_TIME_NS

UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}  # nanoseconds
UNIT_NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
# Stamps of recordings lie between 1990 and 2100 [ns since 1970].
EARLIEST_NS, LATEST_NS = 631_152_000_000_000_000, 4_102_444_800_000_000_000
LONGEST_STEP = 1000  # seconds from line to line; longer ones are of a finer unit
SHORTEST_STEP_NS, LONGEST_STEP_NS = 1_000_000, 10_000_000_000


def exact_ns(text: str, unit: str = "s") -> int:
    """The time of a number as text, in a unit of UNITS [ns]. ValueError if it is no number, or too large."""
    try:
        number = Decimal(text)
    except (InvalidOperation, TypeError):
        raise ValueError(f"{shown(text, 60)} is not a number") from None
    try:
        if number.is_finite() and EARLIEST_TIME_NS <= number * UNITS[unit] <= LATEST_TIME_NS:
            return int((number * UNITS[unit]).to_integral_value())
    except ArithmeticError:  # exponents of thousands
        pass
    raise ValueError(f"{shown(text, 60)} is not a time")


def is_absolute(ns: int) -> bool:
    """Whether a time is one since 1970 that a recording can have."""
    return EARLIEST_NS <= ns < LATEST_NS


def unit_of(texts: Sequence[str]) -> str:
    """The unit (of UNITS) of a list of times.

    Times since 1970 tell it by their size. Others are seconds, unless they are whole numbers whose steps would then be
    longer than LONGEST_STEP. ValueError for text that is not a number.
    """
    middle = texts[len(texts) // 2]
    for unit in UNITS:
        try:
            if is_absolute(exact_ns(middle, unit)):
                return unit
        except ValueError:
            float(middle)  # raises for text; a number that is too large in this unit is of a finer one
    if len(texts) < 2 or not all(text.strip().isdecimal() for text in texts):
        return "s"
    with np.errstate(invalid="ignore"):  # numbers of hundreds of digits are infinite
        step = float(np.median(np.diff(np.array([float(text) for text in texts]))))
    if step <= LONGEST_STEP:
        return "s"
    fits = [unit for unit in ("ns", "us", "ms") if SHORTEST_STEP_NS <= step * UNITS[unit] <= LONGEST_STEP_NS]
    return fits[-1] if fits else "s"
