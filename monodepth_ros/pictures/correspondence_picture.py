# SPDX-License-Identifier: Apache-2.0
"""Pictures of the points that the odometry tracks."""

import cv2
import numpy as np

from monodepth_ros.odometry.features.feature_motion import FeatureMotion

AGREES, DISAGREES = (80, 220, 80), (60, 60, 235)  # bgr


def correspondence_picture(rgb: np.ndarray, motion: FeatureMotion) -> np.ndarray:
    """The network's input (H, W, 3) rgb uint8 as bgr, with the motion of each point; red for points off the motion."""
    picture = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    points = motion.points
    if points is None:
        return picture
    size = np.array(picture.shape[1::-1]) / points.size
    before, now = (np.rint((pixels + 0.5) * size - 0.5).astype(int).tolist() for pixels in (points.before, points.now))
    for start, end, agrees in zip(before, now, points.agrees.tolist(), strict=True):
        color = AGREES if agrees else DISAGREES
        cv2.line(picture, start, end, color, 1, cv2.LINE_AA)
        cv2.circle(picture, end, 2, color, -1, cv2.LINE_AA)
    return picture
