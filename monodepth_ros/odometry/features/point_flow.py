# SPDX-License-Identifier: Apache-2.0
"""Optical flow of the points from the reference image to a new one (pyramidal Lucas and Kanade)."""

import cv2
import numpy as np

from monodepth_ros.odometry.features.keyframe_window import KeyframeWindow
from monodepth_ros.odometry.features.tracking_camera import TrackingCamera

WINDOW = (17, 17)  # [pixels]
LEVELS = 3
CRITERIA = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 15, 0.03)
MARGIN = 4  # points closer to the border are lost [pixels]


def flow_of_points(
    window: KeyframeWindow, camera: TrackingCamera, reference: np.ndarray, gray: np.ndarray, expected: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (M, 2) of the window's points in the new image, and whether they were found (M,).

    reference, gray: (H, W) uint8, the image in which the points have their pixels, and the new one. expected:
    T_world_camera of the new image; the search begins where it puts the points.
    """
    points = window.points
    places = (window.points_in_world() - expected[:3, 3]) @ expected[:3, :3]
    guess = camera.pixels(places)
    is_inside = (places[:, 2] > 0) & camera.contains(guess)
    guess = np.where(is_inside[:, None], guess, points.pixel).astype(np.float32)
    now, status, _ = cv2.calcOpticalFlowPyrLK(
        reference,
        gray,
        points.pixel,
        guess,
        winSize=WINDOW,
        maxLevel=LEVELS,
        criteria=CRITERIA,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return now, (status.reshape(-1) > 0) & camera.contains(now, MARGIN)
