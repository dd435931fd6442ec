# SPDX-License-Identifier: Apache-2.0
"""The photometric check accepts motions that explain two images."""

import cv2
import numpy as np
import pytest
from corridor import CAMERA, render, steps_to_poses

from monodepth_ros.geometry.motion import exp_se3, invert, make_transform
from monodepth_ros.odometry.checks.photometric_check import motion_explains_images

K = np.array([[CAMERA.fx, 0, CAMERA.cx], [0, CAMERA.fy, CAMERA.cy], [0, 0, 1]])
v, u = np.mgrid[0 : CAMERA.height, 0 : CAMERA.width]
RAYS = np.stack([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, np.ones(u.shape)], axis=-1)
STEP = (0.0, 0.0, 0.6, 0.0, 0.03, 0.0)


def accepts(T_before_now, change=lambda before, now: (before, now)):
    poses = steps_to_poses(STEP)
    before, _ = render(poses[0])
    now, inverse_depth = render(poses[1], seed=1)
    before, now = change(before, now)
    return motion_explains_images(before, now, inverse_depth, RAYS, K, T_before_now)


def test_the_right_motion_is_accepted_in_sharp_and_in_blurred_images():
    assert accepts(exp_se3(np.array(STEP)))
    assert accepts(exp_se3(np.array(STEP)), lambda *images: [cv2.GaussianBlur(image, (0, 0), 3) for image in images])


@pytest.mark.parametrize("twist", [(0, 0, 0.6, 0, -0.03, 0), (0, 0, -0.6, 0, 0.03, 0), (0.5, 0, 0.6, 0, 0.03, 0.1)])
def test_a_wrong_motion_is_refused(twist):
    assert not accepts(exp_se3(np.array(twist, float)))


@pytest.mark.parametrize("what", ["black", "frozen", "elsewhere"])
def test_no_motion_is_accepted_for_bad_images(what):
    def change(before, now):
        if what == "black":
            return before, np.zeros_like(now)
        if what == "frozen":
            return now, now
        return render(make_transform(np.eye(3), (1.0, 0.0, 20.0)))[0], now

    assert not accepts(exp_se3(np.array(STEP)), change)


def test_a_motion_past_everything_is_refused_without_a_warning():
    assert not accepts(invert(exp_se3(np.array((0.0, 0.0, 80.0, 0.0, 0.0, 0.0)))))
