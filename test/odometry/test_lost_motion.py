# SPDX-License-Identifier: Apache-2.0
"""A camera whose images can hardly ever be followed gets one warning that names its calibration."""

import numpy as np
import pytest

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.odometry.checks.lost_motion import FIRST, LostMotion
from monodepth_ros.odometry.checks.reference_image import FROZEN, too_few_corners
from monodepth_ros.odometry.features.feature_motion import FeatureMotion

CAMERA = CameraModel.pinhole(256, 160, 47.5, 47.5, 31.5, 19.5)
LOST = FeatureMotion(None, reason="only 3 % of the points agree on a motion")
FOLLOWED = FeatureMotion(np.eye(4))


def warning(*motions, camera=CAMERA):
    check = LostMotion()
    for motion in motions:
        check.observe(motion, camera)
    return check.warning


def test_a_camera_that_is_never_followed_is_warned_about_with_its_field_of_view():
    found = warning(*[LOST] * FIRST)
    assert f"lost {FIRST} of the first {FIRST} images" in found
    assert "fx 47.5, 139 degrees wide for 256x160 pixels" in found and "monodepth calibrate" in found


def test_a_few_followed_images_among_lost_ones_do_not_clear_it():
    assert warning(*[LOST] * (FIRST - 4), *[FOLLOWED] * 4)


@pytest.mark.parametrize("lost", [0, FIRST // 2])
def test_a_camera_that_has_been_followed_is_not_suspected_later(lost):
    assert not warning(*[LOST] * lost, *[FOLLOWED] * (FIRST - lost), *[LOST] * 3 * FIRST)


@pytest.mark.parametrize(
    "motion",
    [
        FeatureMotion(None, reason=too_few_corners(3)),
        FeatureMotion(None, reason=FROZEN),
        FeatureMotion(np.eye(4), is_still=True),
        None,
    ],
)
def test_images_that_say_nothing_about_the_lens_do_not_count(motion):
    assert not warning(*[motion] * 3 * FIRST)
    assert warning(*[motion] * FIRST, *[LOST] * FIRST)


def test_another_calibration_is_judged_anew():
    check = LostMotion()
    for _ in range(FIRST):
        check.observe(LOST, CAMERA)
    check.observe(FOLLOWED, CameraModel.pinhole(256, 160, 190.0, 190.0, 127.5, 79.5))
    assert check.warning == ""
