# SPDX-License-Identifier: Apache-2.0
"""From a network's sigmoid output to depth (Godard et al. 2019, section 3.3)."""

from typing import TypeVar

import cv2
import numpy as np

Array = TypeVar("Array")  # numpy array or torch tensor


def scale_disparity(disparity: Array, min_depth: float, max_depth: float) -> Array:
    """Sigmoid disparity in [0, 1] to inverse depth between 1 / max_depth and 1 / min_depth; any shape."""
    farthest, nearest = 1.0 / max_depth, 1.0 / min_depth
    return farthest + (nearest - farthest) * disparity


def disparity_to_depth(disparity: Array, min_depth: float, max_depth: float) -> Array:
    """Sigmoid disparity in [0, 1] to depth in network units; any shape, numpy or torch."""
    return 1.0 / scale_disparity(disparity, min_depth, max_depth)


def depth_to_disparity(depth: Array, min_depth: float, max_depth: float) -> Array:
    """Inverse of `disparity_to_depth`."""
    farthest, nearest = 1.0 / max_depth, 1.0 / min_depth
    return (1.0 / depth - farthest) / (nearest - farthest)


def depth_at_size(scaled_disparity: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Depth (height, width) from inverse depth (h, w) of another size.

    Inverse depth is resized bilinearly, then inverted: resizing depth instead would smear far values over the
    borders of near objects. size is (width, height), as OpenCV has it; the dtype is kept.
    """
    if scaled_disparity.shape[::-1] != tuple(size):
        scaled_disparity = cv2.resize(scaled_disparity, tuple(size), interpolation=cv2.INTER_LINEAR)
    return 1.0 / scaled_disparity
