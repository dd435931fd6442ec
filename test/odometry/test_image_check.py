# SPDX-License-Identifier: Apache-2.0
"""Bad streams are detected from their images alone; good ones pass."""

import cv2
import numpy as np
import pytest
from corridor import CURVE, render, steps_to_poses

from monodepth_ros.geometry.motion import make_transform
from monodepth_ros.odometry.checks.image_check import ImageCheck
from monodepth_ros.odometry.checks.reference_image import STILL_IMAGES

DRIVE = steps_to_poses(*CURVE[:12])


def changes(poses=DRIVE, change=lambda i, image: image):
    check = ImageCheck()
    return [check.update(change(i, render(pose, seed=i)[0])) for i, pose in enumerate(poses)]


def test_a_drive_passes_and_is_not_still():
    for found in changes()[1:]:
        assert not found.reason and not found.is_still


@pytest.mark.parametrize("step", [(0, 0, 1.2, 0, 0, 0), (0, 0, 0.2, 0, 0.12, 0)])
def test_a_fast_drive_passes(step):
    assert not any(found.reason for found in changes(steps_to_poses(*[step] * 8)))


BAD = {
    "black": (lambda i, image: np.zeros_like(image), "0 corners"),
    "blurred": (lambda i, image: cv2.GaussianBlur(image, (0, 0), 14), "blurred"),
    "garbage": (
        lambda i, image: np.random.default_rng(i).integers(0, 255, image.shape, np.uint8),
        "corners of the image before",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_images_and_the_first_one_after_them_are_refused(what):
    spoil, reason = BAD[what]
    found = changes(change=lambda i, image: spoil(i, image) if 5 <= i < 8 else image)
    assert [bool(item.reason) for item in found] == [5 <= i < 9 for i in range(len(found))]
    assert reason in found[5].reason and not any(item.is_still for item in found)


def test_a_frozen_stream_is_refused_until_it_changes():
    images = [render(pose, seed=i)[0] for i, pose in enumerate(DRIVE)]
    check = ImageCheck()
    found = [check.update(images[min(i, 5) if i < 8 else i]) for i in range(len(images))]
    assert ["frozen" in item.reason for item in found] == [i in (6, 7) for i in range(len(images))]
    assert not found[-1].reason


def test_a_kidnapped_camera_is_refused_for_one_image():
    elsewhere = make_transform(np.diag((-1.0, -1.0, 1.0)), (2.0, 0.5, -40.0))
    found = changes(DRIVE[:5] + [elsewhere @ pose for pose in DRIVE[:4]])
    assert [bool(item.reason) for item in found] == [False] * 5 + [True] + [False] * 3


def test_standstill_is_detected_and_creeping_is_not_standstill():
    found = changes([np.eye(4)] * (STILL_IMAGES + 5))
    assert all(item.is_still and not item.reason for item in found[1:STILL_IMAGES]) and found[-1].is_still
    creeping = changes(steps_to_poses(*[(0.0, 0.0, 0.004, 0.0, 0.0, 0.0)] * 20))
    moved = sum(not item.is_still for item in creeping[1:])
    assert 3 <= moved < 20, f"{moved} of 20 images at 4 mm per image are detected as moving"
    assert [item.is_kept for item in creeping] == [not item.is_still for item in creeping]
