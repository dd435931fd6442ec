# SPDX-License-Identifier: Apache-2.0
"""An estimated trajectory over the true one, from above."""

import cv2
import numpy as np

from monodepth_ros.geometry.motion import R_BODY_OPTICAL
from monodepth_ros.geometry.pose_array import between
from monodepth_ros.pictures.picture_sheet import TEXT_COLOR
from monodepth_ros.pictures.trajectory_picture import trajectory_from_above

SIZE = 800  # pixels


def odometry_picture(truth: np.ndarray, estimate: np.ndarray, text: str) -> np.ndarray:
    """Bgr picture (SIZE, SIZE, 3) of poses (N, 4, 4) in one world, with a line of text below.

    The first true pose is the origin. Its axes are taken for optical ones (z forward) if the path goes along
    z more than along x, step by step, else for those of a body (x forward, z up).
    """
    steps = np.abs(between(truth[:-1], truth[1:])[:, :3, 3]).sum(axis=0)
    R = R_BODY_OPTICAL if steps[2] > steps[0] else np.eye(3)
    true_places, places = (between(truth[:1], poses)[:, :3, 3] @ R.T for poses in (truth, estimate))
    picture = trajectory_from_above(places, SIZE, SIZE, truth=true_places)
    cv2.putText(picture, text, (6, SIZE - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.42, TEXT_COLOR, 1, cv2.LINE_AA)
    return picture
