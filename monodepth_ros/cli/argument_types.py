# SPDX-License-Identifier: Apache-2.0
"""Numbers on a command line, checked by argparse."""

import argparse
import math


def positive(text: str) -> float:
    """Convert an argument to a finite number above 0."""
    value = float(text)
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def not_negative(text: str) -> float:
    """Convert an argument to a finite number, 0 or more."""
    value = float(text)
    if not (value >= 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"{text} is not a number of 0 or more")
    return value


def count(text: str) -> int:
    """Convert an argument to a whole number, 1 or more."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of 1 or more")
    return value


def field_of_view(text: str) -> float:
    """Convert an argument to an angle between 10 and 150 degrees."""
    value = float(text)
    if not 10.0 <= value <= 150.0:
        raise argparse.ArgumentTypeError(f"{text} is not an angle between 10 and 150 degrees")
    return value
