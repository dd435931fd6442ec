# SPDX-License-Identifier: Apache-2.0
"""The part of the image that shows the vehicle or the camera itself: hood, housing, vignette."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

MIN_FRAMES = 8
# A pixel is still below this standard deviation over time, in grey levels and as a share of the median one.
STILL, STILL_SHARE = 3.0, 0.2
# A still region that does not touch the lower border must be darker than this, because a sky is still too.
DARK = 30.0
WHITE = 250.0  # grey level from which on a pixel is overexposed, and still for that reason
MIN_AREA = 0.01  # share of the image
LARGEST_AREA = 0.6  # share of the image; a larger region means that the camera does not move
FILLED = 0.7  # share of its rows that a region must fill to count as a hood


@dataclass(frozen=True)
class StaticRegion:
    """A region of the image that does not change while the camera moves.

    region: (h, w) bool at the size of the examined frames. hood: share of the image's height, from the bottom, that
    contains the whole region; 0 if the region does not fill those rows.
    """

    region: np.ndarray
    hood: float

    @property
    def area(self) -> float:
        """Share of the image's area."""
        return float(self.region.mean())

    def mask(self, width: int, height: int) -> np.ndarray:
        """(height, width) uint8 picture for data.mask_file: black in the region and a margin around it, else white."""
        grown = cv2.dilate(self.region.astype(np.uint8), np.ones((3, 3), np.uint8))
        return 255 - 255 * cv2.resize(grown, (width, height), interpolation=cv2.INTER_NEAREST)


def find_static_region(frames: np.ndarray, ignored: np.ndarray | None = None) -> StaticRegion | None:
    """Find the region at the image's border that stays the same while the camera moves; None if there is none.

    frames: (N, h, w) uint8 grey. ignored: (h, w) bool, pixels that are masked already. Changes of exposure are removed
    from pixels that become stiller by it.
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
    """Yield the connected parts, each (h, w) bool."""
    count, labels = cv2.connectedComponents(still.astype(np.uint8), connectivity=4)
    for label in range(1, count):
        yield labels == label
