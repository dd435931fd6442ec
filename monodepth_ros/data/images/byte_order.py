# SPDX-License-Identifier: Apache-2.0
"""Bytes in another order than the messages say: YUYV that is called UYVY, 16-bit values of the other byte order."""

import math
from collections.abc import Callable, Iterable

import cv2
import numpy as np

from monodepth_ros.data.images.byte_patterns import endian_lead, luma_lead
from monodepth_ros.data.images.encodings import PACKED, RAW, Encoding

# How much smoother the other order must make an image. Images in the right order are 2 to 100 times as smooth.
CERTAIN = 1.6
# Images of a live camera that are examined; one that shows nothing does not decide.
LOOKS = 30
_OTHER = {"yuv422": "yuv422_yuy2", "uyvy": "yuyv", "yuv422_yuy2": "yuv422", "yuyv": "uyvy"}


class ByteOrder:
    """The order of the bytes of one camera's images, decided once: as stated, unless it is certainly the other one.

    Images decide one by one, or together by `learn`. is_open: whether to examine them at all. remark: called if the
    order is not as stated.
    """

    def __init__(self, is_open: bool, remark: Callable[[str], None]):
        self._looks = LOOKS if is_open else 0
        self._is_other = False
        self._remark = remark

    def learn(self, images: Iterable[tuple[np.ndarray, Encoding]]) -> None:
        """Decide by images (array, encoding), all of them equally."""
        if not self._looks:
            return
        leads = [(_lead(array, encoding), encoding) for array, encoding in images if encoding.needs_order]
        leads = [(lead, encoding) for lead, encoding in leads if lead != 1.0]
        if leads:
            self._decide(math.exp(float(np.median([math.log(lead) for lead, _ in leads]))), leads[0][1])
            self._looks = 0

    def righted(self, array: np.ndarray, encoding: Encoding) -> tuple[np.ndarray, Encoding]:
        """The samples of an image in the right order, and their encoding."""
        if not encoding.needs_order:
            return array, encoding
        if self._looks:
            self._looks -= 1
            self._decide(_lead(array, encoding), encoding)
        if not self._is_other:
            return array, encoding
        if encoding.family == PACKED:
            return array, RAW[_OTHER[encoding.name]]
        return array.byteswap(), encoding

    def _decide(self, lead: float, encoding: Encoding) -> None:
        if 1.0 / CERTAIN < lead < CERTAIN:
            return
        self._looks = 0
        self._is_other = lead < 1.0
        if not self._is_other:
            return
        found = "their 16-bit values are in the byte order that is_bigendian denies"
        if encoding.family == PACKED:
            found = f"their bytes are in the order of {_OTHER[encoding.name]}"
        self._remark(
            f"the messages call the images {encoding.name}, but {found}, and they are read so; if that is wrong, state "
            f"{encoding.name} by --encoding (the node's image.encoding)"
        )


def _lead(array: np.ndarray, encoding: Encoding) -> float:
    """How much smoother an image is in the stated order than in the other one."""
    if encoding.itemsize == 2:
        return endian_lead(array)
    lead = luma_lead(array)
    return lead if encoding.code == cv2.COLOR_YUV2RGB_UYVY else 1.0 / lead
