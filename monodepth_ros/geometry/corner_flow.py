# SPDX-License-Identifier: Apache-2.0
"""Corners followed from one image to another by pyramidal optical flow (Lucas and Kanade), forward and backward."""

import cv2
import numpy as np


def follow_corners(
    earlier: np.ndarray, later: np.ndarray, corners: np.ndarray, window: tuple[int, int], tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Places of `corners` (N, 2) [pixels] in the later image (N, 2), and which of them were found (N,).

    A corner counts as found if flow back from its new place ends within `tolerance` [pixels] of where it began.
    earlier, later: uint8 (H, W). window: size of the patch [pixels].
    """
    start = np.ascontiguousarray(corners, np.float32).reshape(-1, 1, 2)
    there, found, _ = cv2.calcOpticalFlowPyrLK(earlier, later, start, None, winSize=window, maxLevel=3)
    back, returned, _ = cv2.calcOpticalFlowPyrLK(later, earlier, there, None, winSize=window, maxLevel=3)
    good = (found.reshape(-1) == 1) & (returned.reshape(-1) == 1)
    good &= np.linalg.norm((back - start).reshape(-1, 2), axis=1) < tolerance
    return there.reshape(-1, 2), good
