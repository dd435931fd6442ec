# SPDX-License-Identifier: Apache-2.0
"""A network's sigmoid output converted to depth (Godard et al. 2019, section 3.3)."""

from typing import TypeVar

import cv2
import numpy as np
from torch import Tensor

Array = TypeVar("Array", float, np.ndarray, Tensor)


def scale_disparity(disparity: Array, min_depth: float, max_depth: float) -> Array:
    """Inverse depth between 1 / max_depth and 1 / min_depth from sigmoid disparity in [0, 1]; any shape."""
    farthest, nearest = 1.0 / max_depth, 1.0 / min_depth
    return farthest + (nearest - farthest) * disparity


def disparity_to_depth(disparity: Array, min_depth: float, max_depth: float) -> Array:
    """Depth in network units from sigmoid disparity in [0, 1]; any shape."""
    return 1.0 / scale_disparity(disparity, min_depth, max_depth)


def depth_to_disparity(depth: Array, min_depth: float, max_depth: float) -> Array:
    """Sigmoid disparity from depth, the inverse of `disparity_to_depth`."""
    farthest, nearest = 1.0 / max_depth, 1.0 / min_depth
    return (1.0 / depth - farthest) / (nearest - farthest)


def depth_at_size(scaled_disparity: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Depth (height, width) from inverse depth (h, w) of another size; keeps the type.

    size: (width, height), as in OpenCV. Inverse depth is resized bilinearly and then inverted: to resize depth would
    smear far values over the borders of near objects.
    """
    if scaled_disparity.shape[::-1] != tuple(size):
        scaled_disparity = cv2.resize(scaled_disparity, tuple(size), interpolation=cv2.INTER_LINEAR)
    return 1.0 / scaled_disparity
