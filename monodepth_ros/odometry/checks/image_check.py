# SPDX-License-Identifier: Apache-2.0
"""Comparison of each image with the one before: standstill, frozen streams, bad images and sudden jumps.

It needs no motion, so it works with any source of motion.
"""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.geometry.corner_flow import follow_corners
from monodepth_ros.odometry.checks.reference_image import FROZEN, NO_REFERENCE, ReferenceImage, too_few_corners
from monodepth_ros.odometry.corners import find_corners

# Width of the images to check [pixels]; all other lengths are pixels of such an image. Half the width that features
# need costs a third of the time and separates drives from other places as well.
WIDTH = 320
CORNERS = 200  # corners to look for in an image
MIN_CORNERS = 40
RETURN_TOLERANCE = 1.0  # a corner followed there and back must end this close to where it began
# Between images of one drive at least 36 % of the corners return (5 Hz, 12 m/s); between other places at most 10 %.
MIN_SHARE = 0.25
STILL_FLOW = 0.1  # median flow below which the camera stands
FROZEN_FLOW = 1.0  # after this much flow, an unchanged image is a frozen stream
WINDOW = (17, 17)


@dataclass(frozen=True)
class ImageChange:
    """Result of comparing an image with the reference.

    reason: why no motion can be estimated from the pair; empty if one can. is_still: nothing moved. is_kept: the next
    images are compared with this one instead of the old reference.
    """

    reason: str = ""
    is_still: bool = False
    is_kept: bool = True


class ImageCheck:
    """Checks one camera's images in their order: (H, W) uint8, all of one size, about WIDTH pixels wide."""

    def __init__(self) -> None:
        self._reference = ReferenceImage(STILL_FLOW, FROZEN_FLOW)
        self._corners = np.zeros((0, 2), np.float32)

    def update(self, gray: np.ndarray) -> ImageChange:
        """Compare the next image with the reference; the first image is refused only if it has too few corners."""
        reference, is_first = self._reference, self._reference.is_missing
        if reference.is_repeated_by(gray):
            return ImageChange(FROZEN, is_kept=False)
        corners, corners_before = find_corners(gray, np.zeros((0, 2)), CORNERS).astype(np.float32), self._corners
        if len(corners) < MIN_CORNERS:
            self._keep(gray, corners)
            return ImageChange(too_few_corners(len(corners)))
        if is_first or len(corners_before) < MIN_CORNERS:
            self._keep(gray, corners)
            return ImageChange("" if is_first else NO_REFERENCE)
        share, flow = _follow(reference.image, gray, corners_before)
        if share >= MIN_SHARE and reference.is_still(flow):
            is_kept = reference.keep_while_still(gray)
            if is_kept:
                self._corners = corners
            return ImageChange(is_still=True, is_kept=is_kept)
        self._keep(gray, corners, flow)
        if share < MIN_SHARE:
            return ImageChange(f"only {100 * share:.0f} % of the corners of the image before are in this one")
        return ImageChange()

    def _keep(self, gray: np.ndarray, corners: np.ndarray, flow: float = 0.0) -> None:
        self._reference.replace(gray, flow)
        self._corners = corners


def _follow(before: np.ndarray, now: np.ndarray, corners: np.ndarray) -> tuple[float, float]:
    """Share of the corners (N, 2) found in the image now, and their median flow [pixels]."""
    there, is_found = follow_corners(before, now, corners, WINDOW, tolerance=RETURN_TOLERANCE)
    if not is_found.any():
        return 0.0, 0.0
    return float(is_found.mean()), float(np.median(np.linalg.norm(there - corners, axis=1)[is_found]))
