# SPDX-License-Identifier: Apache-2.0
"""The scale of a depth picture: a bar of its colours with depths in their unit."""

import cv2
import numpy as np

from monodepth_ros.pictures.color_picture import color_limits, color_picture
from monodepth_ros.pictures.picture_sheet import BACKGROUND, TEXT_COLOR, labelled, write_text

SCALE_HEIGHT = 26  # pixels
_BAR, _TICK, _SIDE = 9, 4, 12  # pixels: height of the bar and of a tick, space on both sides
_TEXT_SIZE = 0.36
# Leading digits of the depths at the ticks: the roundest first, the others where there is space between.
_LEADING = ((1.0, 2.0, 5.0), (3.0, 7.0), (1.5, 4.0, 6.0, 8.0), (1.2, 2.5, 9.0))
_SPACE = 14  # pixels between two values


def with_depth_scale(picture: np.ndarray, limits: tuple[float, float], unit: str) -> np.ndarray:
    """A depth picture, bgr (H, W, 3), with its scale below it: (H + SCALE_HEIGHT, W, 3).

    limits: the inverse depths [1/unit] that it was drawn between, see `color_picture`.
    """
    return np.vstack((picture, depth_scale(limits, unit, picture.shape[1])))


def depth_panel(depth: np.ndarray, unit: str, caption: str, limits: tuple[float, float] | None = None) -> np.ndarray:
    """A captioned picture of depth (H, W) for a `picture_sheet`, with its scale below.

    limits: the inverse depths [1/unit] to draw it between; the depth's own without them.
    """
    limits = limits or color_limits(depth)
    return with_depth_scale(labelled(color_picture(depth, limits), caption), limits, unit)


def depth_scale(limits: tuple[float, float], unit: str, width: int) -> np.ndarray:
    """A bar of the colours of `color_picture`, near at the left: bgr (SCALE_HEIGHT, width, 3).

    limits: inverse depths [1/unit]. unit: "m", "network units", ...; written at the right end.
    """
    strip = np.full((SCALE_HEIGHT, width, 3), BACKGROUND, np.uint8)
    text_width = _width(unit)
    bar_width = width - 2 * _SIDE - text_width - 8
    if bar_width < 60:  # a thumbnail has no place for one
        return strip
    ramp = np.linspace(255, 0, bar_width).astype(np.uint8)[None].repeat(_BAR, axis=0)
    strip[2 : 2 + _BAR, _SIDE : _SIDE + bar_width] = cv2.applyColorMap(ramp, cv2.COLORMAP_MAGMA)
    write_text(strip, unit, (width - _SIDE - text_width, SCALE_HEIGHT - 5), size=_TEXT_SIZE)
    low, high = limits
    ticks = {f"{depth:g}": 1.0 / depth for depth in round_depths(limits)}
    if len(ticks) < 2:  # all is equally far: the depths at the ends
        ticks |= {f"{1 / inverse:.3g}" if inverse > 1e-6 else "inf": inverse for inverse in (high, low)}
    taken: list[tuple[float, float]] = []
    for text, inverse in ticks.items():
        at = _SIDE + (high - inverse) / max(high - low, 1e-6) * (bar_width - 1)
        left = min(max(at - _width(text) / 2, 2), width - _SIDE - text_width - _width(text) - 8)
        right = left + _width(text)
        if any(left < end + _SPACE and right > start - _SPACE for start, end in taken):
            continue
        cv2.line(strip, (round(at), 2 + _BAR), (round(at), 2 + _BAR + _TICK - 1), TEXT_COLOR, 1)
        write_text(strip, text, (round(left), SCALE_HEIGHT - 3), size=_TEXT_SIZE)
        taken.append((left, right))
    return strip


def round_depths(limits: tuple[float, float]) -> list[float]:
    """Round depths between two inverse depths, the roundest first."""
    low, high = limits
    if high <= 1e-6:
        return []
    nearest, farthest = 1.0 / max(high, 1e-6), 1.0 / max(low, 1e-6)
    powers = range(int(np.floor(np.log10(nearest))), int(np.ceil(np.log10(farthest))) + 1)
    depths = [float(f"{digit * 10.0**power:.2g}") for digits in _LEADING for power in powers for digit in digits]
    return [depth for depth in depths if nearest <= depth <= farthest]


def _width(text: str) -> int:
    return cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, _TEXT_SIZE, 1)[0][0]
