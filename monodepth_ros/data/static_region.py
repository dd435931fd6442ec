# SPDX-License-Identifier: Apache-2.0
"""The part of the image that belongs to the camera, not to the world: hood, housing, vignette."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

MIN_FRAMES = 8
# Grey levels (standard deviation over time) below which a pixel is still, and share of the usual one.
STILL, STILL_SHARE = 3.0, 0.2
# A still region that does not touch the lower border must be darker than this: a sky does not change either.
DARK = 30.0
WHITE = 250.0  # overexposed, which keeps everything still
MIN_AREA = 0.01  # share of the image
LARGEST_AREA = 0.6  # a larger one is no hood: the camera stands
FILLED = 0.7  # share of its rows that a region fills to be described by their number


@dataclass(frozen=True)
class StaticRegion:
    """region: (h, w) bool at the size of the frames looked at. hood: share of the height, from the bottom,
    that holds all of it, or 0 where rows do not describe it."""

    region: np.ndarray
    hood: float

    @property
    def area(self) -> float:
        """Share of the image."""
        return float(self.region.mean())

    def mask(self, width: int, height: int) -> np.ndarray:
        """(height, width) uint8 picture for data.mask_file: black where the region is, with a margin; white
        elsewhere."""
        grown = cv2.dilate(self.region.astype(np.uint8), np.ones((3, 3), np.uint8))
        return 255 - 255 * cv2.resize(grown, (width, height), interpolation=cv2.INTER_NEAREST)


def find_static_region(frames: np.ndarray, ignored: np.ndarray | None = None) -> StaticRegion | None:
    """What never changes at the border of (N, h, w) uint8 grey frames between which the camera moves; None
    for nothing.

    Changes of exposure are taken out where that makes a pixel stiller. ignored: (h, w) bool, left out
    already.
    """
    if len(frames) < MIN_FRAMES:
        return None
    values = frames.astype(np.float32)
    level = values.mean(axis=(1, 2), keepdims=True)
    change = np.minimum(values.std(axis=0), (values * (level.mean() / np.maximum(level, 1.0))).std(axis=0))
    still = change < min(STILL, STILL_SHARE * float(np.median(change)))
    still = cv2.morphologyEx(still.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    mean = values.mean(axis=0)
    region = np.zeros(still.shape, bool)
    for part in _parts(still & (mean < WHITE)):
        if part[-1].any():
            region |= part
    for part in _parts(still & (mean < DARK)):
        if part[0].any() or part[-1].any() or part[:, 0].any() or part[:, -1].any():
            region |= part
    new = region if ignored is None else region & ~ignored
    if not new.mean() > MIN_AREA or region.mean() > LARGEST_AREA:
        return None
    rows = np.flatnonzero(region.any(axis=1))
    height = len(region)
    is_at_bottom = region[-1].mean() > FILLED and region[rows[0] :].mean() > FILLED
    return StaticRegion(region, float(np.ceil(100 * (height - rows[0]) / height) / 100) if is_at_bottom else 0.0)


def _parts(still: np.ndarray) -> Iterator[np.ndarray]:
    """Connected parts, each (h, w) bool."""
    count, labels = cv2.connectedComponents(still.astype(np.uint8), connectivity=4)
    for label in range(1, count):
        yield labels == label
