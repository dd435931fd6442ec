# SPDX-License-Identifier: Apache-2.0
"""Corners tracked from one image to another by pyramidal Lucas-Kanade flow, forward and backward."""

import cv2
import numpy as np


def follow_corners(
    earlier: np.ndarray, later: np.ndarray, corners: np.ndarray, window: tuple[int, int], tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of `corners` (N, 2) in the later image (N, 2) [pixels], and which corners were found (N,).

    A corner is found if the flow back from its new position ends within `tolerance` [pixels] of the old one.
    earlier, later: uint8 (H, W). window: width and height of the compared patch [pixels].
    """
    start = np.ascontiguousarray(corners, np.float32).reshape(-1, 1, 2)
    if not len(start):
        return start.reshape(-1, 2), np.zeros(0, bool)
    there, found = _flow(earlier, later, start, window)
    back, returned = _flow(later, earlier, there, window)
    good = found & returned & (np.linalg.norm((back - start).reshape(-1, 2), axis=1) < tolerance)
    return there.reshape(-1, 2), good


def _flow(
    earlier: np.ndarray, later: np.ndarray, start: np.ndarray, window: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Where the points (N, 1, 2) went, and which of them were found (N,)."""
    # With the default flags OpenCV ignores the values of nextPts.
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        prevImg=earlier, nextImg=later, prevPts=start, nextPts=np.empty_like(start), winSize=window, maxLevel=3
    )
    return np.asarray(there), np.asarray(found).reshape(-1) == 1
