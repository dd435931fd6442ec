# SPDX-License-Identifier: Apache-2.0
"""Whether an image shows what the one before it showed, whoever says what the motion between them was."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.geometry.corner_flow import follow_corners
from monodepth_ros.odometry.features.corners import find_corners

# All lengths in pixels of an image so many pixels wide: half of what features want costs a third of the time, and tells drives
# from other places no worse.
WIDTH = 320
CORNERS = 200  # that are looked for in an image
MIN_CORNERS = 40
RETURNED = 1.0  # a corner that is followed there and back comes so near to where it was
# Of corners between images of one drive at least 36 % return (5 Hz, 12 m/s), of those between other places at most 10 %.
MIN_SHARE = 0.25
STILL_FLOW = 0.1  # median, below which the camera stands
STILL_IMAGES = 50  # after so many the newest takes the place of the one to compare with: the light changes
FROZEN_FLOW = 1.0  # an unchanged image after this much motion is not a stop, but a frozen stream
WINDOW = (17, 17)


@dataclass(frozen=True)
class ImageChange:
    """doubt: why no motion from the image before can be told, in words, or empty. is_still: nothing moved.

    is_kept: the next images are compared with this one, and no longer with the one before.
    """

    doubt: str = ""
    is_still: bool = False
    is_kept: bool = True


class ImageCheck:
    """Looks at one camera's images, (H, W) uint8 of one size and about WIDTH pixels wide, in their order."""

    def __init__(self) -> None:
        self._image: np.ndarray | None = None
        self._corners = np.zeros((0, 2), np.float32)
        self._flow = 0.0
        self._still_images = 0

    def update(self, gray: np.ndarray) -> ImageChange:
        """What has become of the image before. The first image is never doubted but for what it shows itself."""
        before, self._still_images = self._image, self._still_images + 1
        if before is not None and self._flow > FROZEN_FLOW and np.array_equal(gray, before):
            return ImageChange("the image is the same as the one before: the stream is frozen", is_kept=False)
        corners, had = find_corners(gray, np.zeros((0, 2)), CORNERS).astype(np.float32), self._corners
        if len(corners) < MIN_CORNERS:
            self._take(gray, corners, 0.0)
            return ImageChange(f"{len(corners)} corners in the image: too dark, blurred or bare")
        if before is None or len(had) < MIN_CORNERS:
            self._take(gray, corners, 0.0)
            return ImageChange("" if before is None else "no image before this one to compare with")
        share, flow = _followed(before, gray, had)
        if share >= MIN_SHARE and flow < STILL_FLOW:
            # The image to compare with stays for a while, so that a slow motion is seen once it has become one.
            self._flow = 0.0
            is_old = self._still_images >= STILL_IMAGES
            if is_old:
                self._take(gray, corners, 0.0)
            return ImageChange(is_still=True, is_kept=is_old)
        self._take(gray, corners, flow)
        if share < MIN_SHARE:
            return ImageChange(f"only {100 * share:.0f} % of the corners of the image before are in this one")
        return ImageChange()

    def _take(self, gray: np.ndarray, corners: np.ndarray, flow: float) -> None:
        self._image, self._corners, self._flow, self._still_images = gray, corners, flow, 0


def _followed(before: np.ndarray, now: np.ndarray, corners: np.ndarray) -> tuple[float, float]:
    """Share of the corners (N, 2) that are followed to the image now and back again, and their median way [pixels]."""
    there, returned = follow_corners(before, now, corners, WINDOW, tolerance=RETURNED)
    if not returned.any():
        return 0.0, 0.0
    return float(returned.mean()), float(np.median(np.linalg.norm(there - corners, axis=1)[returned]))
