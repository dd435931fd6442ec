# SPDX-License-Identifier: Apache-2.0
"""Standstill and frozen streams, detected by comparing each image with a reference image."""

import numpy as np

STILL_IMAGES = 50  # images of standstill after which the newest becomes the reference, because the light changes

FROZEN = "the image is the same as the one before: the stream is frozen"
NO_REFERENCE = "no image before this one to compare with"
TOO_BARE = "too dark, blurred or bare"


def too_few_corners(count: int) -> str:
    """Reason for refusing an image in which only `count` corners were found."""
    return f"{count} corners in the image: {TOO_BARE}"


class ReferenceImage:
    """The image that new ones are compared with, of shape (0, 0) before the first one.

    The reference stays the same while the camera stands, so a slow motion shows once it has added up. Optical flow is
    the median over the image in pixels. still_flow: the camera stands below this flow. frozen_flow: after more flow
    than this, an unchanged image is a frozen stream and not a stop.
    """

    def __init__(self, still_flow: float, frozen_flow: float):
        self._still_flow, self._frozen_flow = still_flow, frozen_flow
        self.forget()

    def forget(self) -> None:
        """Drop the reference."""
        self.image = np.zeros((0, 0), np.uint8)
        self._flow = 0.0
        self._still_images = 0

    @property
    def is_missing(self) -> bool:
        """Whether there is no image yet."""
        return not self.image.size

    def replace(self, image: np.ndarray, flow: float = 0.0) -> None:
        """Compare with this image from now on; flow: the motion that led to it, 0 if unknown."""
        self.image, self._flow, self._still_images = image, flow, 0

    def is_repeated_by(self, image: np.ndarray) -> bool:
        """Whether a moving camera delivers the reference image once more: the stream is frozen."""
        return self._flow > self._frozen_flow and np.array_equal(image, self.image)

    def is_still(self, flow: float) -> bool:
        """Whether this flow since the reference image means standstill."""
        return flow < self._still_flow

    def keep_while_still(self, image: np.ndarray) -> bool:
        """Count an image of standstill; whether it has become the reference because the old one is too old."""
        self._flow = 0.0
        self._still_images += 1
        if self._still_images < STILL_IMAGES:
            return False
        self.replace(image)
        return True
