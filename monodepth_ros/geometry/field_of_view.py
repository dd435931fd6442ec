# SPDX-License-Identifier: Apache-2.0
"""The horizontal field of view of an image without calibration: the guess, and its conversion to a focal length."""

import math

# Guess for an unknown lens, across the longer side of the image [degrees]: between a phone's main camera (about 68 in
# photos, less in video) and webcams and dash cameras, which range from 50 to 90.
GUESSED_FIELD_OF_VIEW = 60.0


def guessed_field_of_view(width: int, height: int) -> float:
    """Horizontal field of view [degrees] of an image of this size [pixels], from the guess for its longer side."""
    if width >= height:
        return GUESSED_FIELD_OF_VIEW
    return field_of_view(width, focal_length(max(width, height), GUESSED_FIELD_OF_VIEW))


def focal_length(side: float, degrees: float) -> float:
    """Focal length [pixels] of a pinhole that sees an angle [degrees] across a side [pixels] centred on its axis."""
    return 0.5 * side / math.tan(math.radians(0.5 * degrees))


def field_of_view(side: float, focal: float) -> float:
    """Angle [degrees] that a pinhole sees across a side [pixels] centred on its axis; the inverse of `focal_length`."""
    return math.degrees(2.0 * math.atan(0.5 * side / focal))
