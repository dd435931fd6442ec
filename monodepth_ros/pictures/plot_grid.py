# SPDX-License-Identifier: Apache-2.0
"""A grid with values at its edges, for pictures that are drawn to scale."""

from typing import NamedTuple

import cv2
import numpy as np

from monodepth_ros.pictures.picture_sheet import write_text

GRID, AXIS_TEXT = (58, 58, 58), (140, 140, 140)
MIN_STEP = 56  # pixels between two lines
TEXT_SIZE = 0.34


class PixelAxis(NamedTuple):
    """A value's column or row: offset + slope * value [pixels]."""

    offset: float
    slope: float


def draw_grid(picture: np.ndarray, columns: PixelAxis, rows: PixelAxis) -> float:
    """Draw lines at round values of both axes, with their values below and at the left; returns their distance.

    picture: bgr (H, W, 3), drawn on. Both axes have one distance of lines, 1, 2 or 5 times a power of ten.
    """
    height, width = picture.shape[:2]
    step = round_step(MIN_STEP / min(abs(columns.slope), abs(rows.slope)))
    for size, axis, is_column in ((width, columns, True), (height, rows, False)):
        ends = sorted(((0 - axis.offset) / axis.slope, (size - axis.offset) / axis.slope))
        for count in range(int(np.ceil(ends[0] / step)), int(np.floor(ends[1] / step)) + 1):
            at = round(axis.offset + axis.slope * count * step)
            line = ((at, 0), (at, height)) if is_column else ((0, at), (width, at))
            cv2.line(picture, *line, GRID, 1)
            text = f"{count * step:g}"
            place = (at + 3, height - 5) if is_column else (4, at - 3)
            # Values in the corners would lie over those of the other axis, or over a caption.
            if (30 < at < width - 24) if is_column else (48 < at < height - 16):
                write_text(picture, text, place, size=TEXT_SIZE, color=AXIS_TEXT)
    return step


def round_step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is not below `least`."""
    power = 10.0 ** np.floor(np.log10(least))
    return float(power * next(factor for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9)))
