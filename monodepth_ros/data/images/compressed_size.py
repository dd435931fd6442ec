# SPDX-License-Identifier: Apache-2.0
"""The size of a compressed image from its header, without decoding it."""

from collections.abc import Sequence

import numpy as np

from monodepth_ros.data.images.headers.header import UnreadFeature
from monodepth_ros.data.images.picture_header import picture_header


def compressed_size(data: Sequence[int]) -> tuple[int, int]:
    """(width, height) of a compressed picture (N,) bytes in pixels; (0, 0) if it is damaged or not one that is read.

    data: bytes, or an array of unsigned bytes; it is not copied.
    """
    try:
        header = picture_header(np.frombuffer(data, np.uint8))
    except UnreadFeature:
        header = None
    return (header.width, header.height) if header is not None else (0, 0)
