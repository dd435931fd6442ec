# SPDX-License-Identifier: Apache-2.0
"""A grid with values at its edges, for pictures that are drawn to scale."""

from typing import NamedTuple

import cv2
import numpy as np

from monodepth_ros.pictures.picture_sheet import write_text

GRID, AXIS_TEXT = (58, 58, 58), (150, 150, 150)
MIN_STEP = 56  # pixels between two lines
TEXT_SIZE = 0.34


class PixelAxis(NamedTuple):
    """A value's column or row: offset + slope * value [pixels]."""

    offset: float
    slope: float


def draw_grid(picture: np.ndarray, columns: PixelAxis, rows: PixelAxis) -> float:
    """Draw lines at round values of both axes; returns their distance.

    picture: bgr (H, W, 3), drawn on. Both axes have one distance of lines, 1, 2 or 5 times a power of ten.
    """
    height, width = picture.shape[:2]
    step = round_step(MIN_STEP / min(abs(columns.slope), abs(rows.slope)))
    for at, _ in _lines(columns, width, step):
        cv2.line(picture, (at, 0), (at, height), GRID, 1)
    for at, _ in _lines(rows, height, step):
        cv2.line(picture, (0, at), (width, at), GRID, 1)
    return step


def draw_values(picture: np.ndarray, columns: PixelAxis, rows: PixelAxis, step: float, top: int) -> None:
    """Write the values of the lines, `step` apart, below and at the left, without those above the row `top`."""
    height, width = picture.shape[:2]
    for at, text in _lines(columns, width, step):
        if 30 < at < width - 24:  # values in the corners would lie over those of the other axis
            write_text(picture, text, (at + 3, height - 5), size=TEXT_SIZE, color=AXIS_TEXT)
    for at, text in _lines(rows, height, step):
        if top < at < height - 16:
            write_text(picture, text, (4, at - 3), size=TEXT_SIZE, color=AXIS_TEXT)


def _lines(axis: PixelAxis, size: int, step: float) -> list[tuple[int, str]]:
    """Pixel and value of the lines within `size` pixels."""
    low, high = sorted(((0 - axis.offset) / axis.slope, (size - axis.offset) / axis.slope))
    counts = range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)
    return [(round(axis.offset + axis.slope * count * step), f"{count * step:.6g}") for count in counts]


def round_step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is not below `least`."""
    power = 10.0 ** np.floor(np.log10(least))
    return float(power * next(factor for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9)))
