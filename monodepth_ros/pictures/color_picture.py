# SPDX-License-Identifier: Apache-2.0
"""Colour pictures of depth images: near is bright, far is dark, invalid is black."""

import cv2
import numpy as np


def color_picture(depth: np.ndarray, limits: tuple[float, float] | None = None) -> np.ndarray:
    """Colour picture, bgr uint8 (H, W, 3), of a depth image (H, W) [m].

    Inverse depth in the magma colour map, as usual in publications, from the 1st to the 95th percentile of the frame,
    or between `limits` [1/m], which makes pictures comparable. Too far (+Inf) is inverse depth 0; NaN and -Inf are
    black.
    """
    inverse = _inverse(depth)
    low, high = limits or _limits(inverse)
    # A uniform depth image has no spread.
    scale = 255.0 / max(high - low, 1e-6)
    valid = np.isfinite(inverse)
    grey = np.clip((np.where(valid, inverse, low) - low) * scale, 0, 255).astype(np.uint8)
    picture = cv2.applyColorMap(grey, cv2.COLORMAP_MAGMA)
    if not valid.all():
        picture[~valid] = 0
    return picture


def color_limits(depth: np.ndarray) -> tuple[float, float]:
    """The inverse depths [1/m] between which `color_picture` draws a depth image (H, W) [m]."""
    return _limits(_inverse(depth))


class SteadyLimits:
    """Limits that follow those of successive frames slowly, so that a moving picture does not flicker."""

    SHARE = 0.15  # of the way to a frame's own limits

    def __init__(self) -> None:
        self._limits: tuple[float, float] | None = None

    def follow(self, depth: np.ndarray) -> tuple[float, float]:
        """The inverse depths [1/m] to draw the next depth image (H, W) between."""
        found = color_limits(depth)
        if self._limits is None:
            self._limits = found
        low, high = (old + self.SHARE * (new - old) for old, new in zip(self._limits, found, strict=True))
        self._limits = low, high
        return self._limits


def _inverse(depth: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.reciprocal(depth)
    inverse[depth == -np.inf] = np.nan
    return inverse


def _limits(inverse: np.ndarray) -> tuple[float, float]:
    sample = inverse[::4, ::4]
    sample = sample[np.isfinite(sample)]
    low, high = np.percentile(sample, (1, 95)) if sample.size else (0.0, 1.0)
    return float(low), float(high)
