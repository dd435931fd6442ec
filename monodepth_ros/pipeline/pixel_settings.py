# SPDX-License-Identifier: Apache-2.0
"""Settings about images, which the node and a training have alike."""

from typing import Any

from monodepth_ros.data.images.image_codec import DecoderOptions, ImageError
from monodepth_ros.settings.schema import ConfigError, setting


def encoding_setting() -> Any:
    """Declare the encoding that replaces that of the messages, a string."""
    return setting(
        "",
        "What the bytes of the images are, whatever their messages say: an encoding of sensor_msgs, for drivers that"
        " state a wrong one. Of compressed images it states the Bayer pattern of a mosaic, or rgb8 if red and blue are"
        " swapped. Empty trusts the messages.",
    )


def intensity_range_setting() -> Any:
    """Declare the range of 16-bit values, a string."""
    return setting(
        "",
        "The values of 16-bit images that become black and white, as LOW:HIGH; for thermal cameras, which use a small"
        " part. Empty: 0 to the largest value of the bits in use (8, 10, 12, 14 or 16).",
    )


def check_pixels(name: str, options: DecoderOptions) -> None:
    """Raise ConfigError for an encoding or a range of values that cannot be; name: of the section of settings."""
    try:
        options.check()
    except ImageError as error:
        raise ConfigError(f"{name}: {error}") from None


def check_rectification(name: str, rectified: bool, unrectified: bool) -> None:
    """Raise ConfigError for images that are declared both; name: of the section of settings."""
    if rectified and unrectified:
        raise ConfigError(f"{name}.rectified and {name}.unrectified are both true: set one of them to false")
