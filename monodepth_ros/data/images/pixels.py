# SPDX-License-Identifier: Apache-2.0
"""Decoded images: 8-bit pixels and the meaning of their channels."""

from dataclasses import dataclass

import cv2
import numpy as np

from monodepth_ros.errors import MonodepthError


class ImageError(MonodepthError):
    """An image that cannot be decoded: unknown encoding, wrong step, missing data or broken compression."""


@dataclass(frozen=True)
class Pixels:
    """8-bit pixels and the meaning of their channels.

    Channels keep the order of the message, because swapping them costs less after the image has been made smaller.

    array: uint8, (H, W) for `mono`, (H, W, 3) for `rgb` and `bgr`, (H, W, 4) for `rgba` and `bgra`; may be a read-only
    view of the message. layout: one of those five names.
    """

    array: np.ndarray
    layout: str

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.array.shape[1], self.array.shape[0]

    @classmethod
    def from_opencv(cls, array: np.ndarray) -> "Pixels":
        """Pixels of an image as OpenCV reads it: uint8, (H, W) grey or (H, W, 3 or 4) BGR(A)."""
        return cls(array, "mono" if array.ndim == 2 else {3: "bgr", 4: "bgra"}[array.shape[2]])


_TO_RGB = {
    "bgr": cv2.COLOR_BGR2RGB,
    "rgba": cv2.COLOR_RGBA2RGB,
    "bgra": cv2.COLOR_BGRA2RGB,
    "mono": cv2.COLOR_GRAY2RGB,
}
_TO_GRAY = {
    "rgb": cv2.COLOR_RGB2GRAY,
    "bgr": cv2.COLOR_BGR2GRAY,
    "rgba": cv2.COLOR_RGBA2GRAY,
    "bgra": cv2.COLOR_BGRA2GRAY,
}


def to_rgb(array: np.ndarray, layout: str) -> np.ndarray:
    """Pixels of any layout as RGB, uint8 (H, W, 3); the same array if it is already RGB."""
    return array if layout == "rgb" else cv2.cvtColor(array, _TO_RGB[layout])


def to_gray(array: np.ndarray, layout: str) -> np.ndarray:
    """Pixels of any layout as grey values, uint8 (H, W); the same array if it is already grey."""
    return array if layout == "mono" else cv2.cvtColor(array, _TO_GRAY[layout])
