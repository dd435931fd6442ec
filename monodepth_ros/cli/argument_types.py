# SPDX-License-Identifier: Apache-2.0
"""Numbers and names on a command line, checked by argparse."""

import argparse
import math

from monodepth_ros.data.images.image_codec import DecoderOptions, ImageError


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


def field_of_view(text: str) -> float:
    """Convert an argument to an angle that a pinhole can see [degrees]."""
    value = float(text)
    if not 1 <= value <= 170:
        raise argparse.ArgumentTypeError(f"{text} is not an angle from 1 to 170 degrees")
    return value


def encoding(text: str) -> str:
    """Check the name of an image encoding."""
    return _checked(text, DecoderOptions(encoding=text))


def intensity_range(text: str) -> str:
    """Check a range LOW:HIGH of 16-bit values."""
    return _checked(text, DecoderOptions(intensity_range=text))


def _checked(text: str, options: DecoderOptions) -> str:
    try:
        options.check()
    except ImageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def count(text: str) -> int:
    """Convert an argument to a whole number, 1 or more."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of 1 or more")
    return value
