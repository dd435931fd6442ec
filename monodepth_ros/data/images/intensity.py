# SPDX-License-Identifier: Apache-2.0
"""From 16-bit values to 8-bit ones: by the bits in use, decided once, or by a stated range."""

import re
import threading
from collections.abc import Callable, Iterable

import cv2
import numpy as np

from monodepth_ros.data.images.pixels import ImageError

BITS = (8, 10, 12, 14, 16)
# Share of the pixels that may exceed the bits in use: hot pixels and small lamps.
HOT = 1e-4
# The values of an image spread over less than this share of the bits in use: a thermal camera.
LOW_CONTRAST = 1 / 16
MAXIMUM = 65535


def bits_in_use(values: np.ndarray) -> int:
    """The smallest of BITS that holds the values of an image, except for a share of HOT."""
    fits = (bits for bits in BITS if np.count_nonzero(values >= 1 << bits) <= HOT * values.size)
    return next(fits, BITS[-1])


def parse_range(text: str) -> tuple[int, int] | None:
    """(low, high) of 'LOW:HIGH', None for ''. Raises ImageError for anything else."""
    if not text:
        return None
    found = re.fullmatch(r"\s*(\d+)\s*:\s*(\d+)\s*", text)
    low, high = (int(number) for number in found.groups()) if found else (0, 0)
    if not low < high <= MAXIMUM:
        raise ImageError(f"range {text!r} of 16-bit values: expected LOW:HIGH with 0 <= LOW < HIGH <= {MAXIMUM}")
    return low, high


class Intensity:
    """The range of 16-bit values that becomes 0 to 255.

    A stated range stays. Else it is 0 to the end of the bits in use: of the sample given to `learn`, and fixed from
    then on, or without a sample those of the images so far, so that it can only grow. Both keep the brightness of
    consecutive images comparable. Safe to use from several threads. remark: called with what a user should know.
    """

    def __init__(self, stated: tuple[int, int] | None, remark: Callable[[str], None]):
        self._low, self._high = stated or (0, 0)
        self._grows = self._checks = stated is None
        self._remark = remark
        self._lock = threading.Lock()

    def learn(self, images: Iterable[np.ndarray]) -> None:
        """Fix the range by a sample of the images (uint16). Without any, nothing changes."""
        if not self._grows:
            return
        bits, spans = 0, []
        for image in images:
            bits = max(bits, bits_in_use(image))
            spans.append(np.percentile(image[:: max(1, len(image) // 128)], (1, 99)))
        if not bits:
            return
        self._grows = False
        self._use(bits)
        low, high = np.min(spans, axis=0)[0], np.max(spans, axis=0)[1]
        if high - low < LOW_CONTRAST * self._high:
            low, high = int(low), min(int(np.ceil(high)) + 1, MAXIMUM)
            self._remark(
                f"the values of the 16-bit images lie between {low} and {high} of {self._high}, so there is little "
                f"contrast: --intensity-range {low}:{high} (the node's image.intensity_range) stretches them"
            )

    def to_8_bit(self, values: np.ndarray) -> np.ndarray:
        """Values (uint16) of an image as uint8 of the same shape; beyond the range black or white."""
        if self._checks and self._high < MAXIMUM and (not self._high or np.max(values) > self._high):
            self._look(values)
        low, high = self._low, self._high
        if low:
            values = np.maximum(values, np.uint16(low)) - np.uint16(low)
        return cv2.convertScaleAbs(values, alpha=255.0 / (high - low))

    def _look(self, values: np.ndarray) -> None:
        """Let the range grow to the values of an image, or remark that they exceed it."""
        with self._lock:
            bits = bits_in_use(values)
            if 1 << bits <= self._high + 1:
                return  # hot pixels only
            if self._grows:
                self._use(bits)
                return
            self._checks = False
            self._remark(
                f"an image uses {bits} bits, the sample of the recording fewer: values above {self._high} are white; "
                f"--intensity-range 0:{(1 << bits) - 1} shows them"
            )

    def _use(self, bits: int) -> None:
        self._high = (1 << bits) - 1
        if bits < 16:
            self._remark(f"the 16-bit images use {bits} bits: stretched by {1 << 16 - bits}")
