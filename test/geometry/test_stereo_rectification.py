# SPDX-License-Identifier: Apache-2.0
"""The R and P of a stereo pair put the same point on the same row, and apart by fx * baseline / depth."""

import numpy as np
import pytest

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import exp_se3, invert
from monodepth_ros.geometry.stereo_rectification import rectified_pair

LEFT = CameraModel.pinhole(640, 480, 460.0, 458.0, 330.0, 245.0)
RIGHT = CameraModel.pinhole(640, 480, 470.0, 466.0, 310.0, 235.0)


def test_rectified_points_share_their_row_and_disparity_gives_their_depth():
    T_left_right = exp_se3(np.array([0.11, 0.004, -0.003, 0.02, -0.03, 0.015]))
    left, right = rectified_pair(LEFT, RIGHT, T_left_right)
    points = np.random.default_rng(0).uniform((-1, -1, 2), (1, 1, 6), (50, 3))
    in_left = points @ left.R.T
    in_right = (points @ invert(T_left_right)[:3, :3].T + invert(T_left_right)[:3, 3]) @ right.R.T
    pixels = [camera.rectified().project(p) for camera, p in ((left, in_left), (right, in_right))]
    assert np.abs(pixels[0][:, 1] - pixels[1][:, 1]).max() < 1e-9
    baseline = np.linalg.norm(T_left_right[:3, 3])
    assert right.baseline == pytest.approx(baseline) and left.baseline == 0
    disparity = pixels[0][:, 0] - pixels[1][:, 0]
    np.testing.assert_allclose(left.P[0, 0] * baseline / disparity, in_left[:, 2], rtol=1e-9)


@pytest.mark.parametrize(
    "twist", [(0, 0, 0, 0, 0, 0), (0, 0, 0.5, 0, 0, 0), (0.3, 0, 0, 0, 1.0, 0), (-0.1, 0, 0, 0, 0, 0)]
)
def test_cameras_that_are_no_pair_stay_as_they_are(twist):
    assert rectified_pair(LEFT, RIGHT, exp_se3(np.array(twist, float))) == (LEFT, RIGHT)
