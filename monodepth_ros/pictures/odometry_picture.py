# SPDX-License-Identifier: Apache-2.0
"""An estimated trajectory over its reference, from above."""

import numpy as np

from monodepth_ros.geometry.motion import R_BODY_OPTICAL
from monodepth_ros.geometry.pose_array import between
from monodepth_ros.pictures.picture_sheet import BACKGROUND, write_text
from monodepth_ros.pictures.trajectory_picture import trajectory_from_above

SIZE, LINE = 800, 24  # pixels: the picture, and the line of text in it


def odometry_picture(reference: np.ndarray, estimate: np.ndarray, text: str) -> np.ndarray:
    """Bgr picture (SIZE, SIZE, 3) of poses (N, 4, 4) in one world frame, with a line of text below.

    The first reference pose is the origin. Its axes are assumed to be optical (z forward) if the steps go more along z
    than along x, otherwise those of a body (x forward, z up).
    """
    steps = np.abs(between(reference[:-1], reference[1:])[:, :3, 3]).sum(axis=0)
    R = R_BODY_OPTICAL if steps[2] > steps[0] else np.eye(3)
    expected, found = (between(reference[:1], poses)[:, :3, 3] @ R.T for poses in (reference, estimate))
    picture = trajectory_from_above(found, SIZE - LINE, SIZE, reference=expected)
    line = np.full((LINE, SIZE, 3), BACKGROUND, np.uint8)
    write_text(line, text, (6, LINE - 8), size=0.42)
    return np.vstack((picture, line))
