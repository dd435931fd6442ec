# SPDX-License-Identifier: Apache-2.0
"""Bad streams are known by their images alone, good ones are let through."""

import cv2
import numpy as np
import pytest
from corridor import CURVE, render, steps_to_poses

from monodepth_ros.geometry.motion import make_transform
from monodepth_ros.odometry.image_check import STILL_IMAGES, ImageCheck

DRIVE = steps_to_poses(*CURVE[:12])


def changes(poses=DRIVE, change=lambda i, image: image):
    check = ImageCheck()
    return [check.update(change(i, render(pose, seed=i)[0])) for i, pose in enumerate(poses)]


def test_a_drive_is_not_doubted_and_does_not_stand():
    for found in changes()[1:]:
        assert not found.doubt and not found.is_still


@pytest.mark.parametrize("step", [(0, 0, 1.2, 0, 0, 0), (0, 0, 0.2, 0, 0.12, 0)])
def test_neither_is_a_fast_one(step):
    assert not any(found.doubt for found in changes(steps_to_poses(*[step] * 8)))


BAD = {
    "black": (lambda i, image: np.zeros_like(image), "0 corners"),
    "blurred": (lambda i, image: cv2.GaussianBlur(image, (0, 0), 14), "blurred"),
    "garbage": (
        lambda i, image: np.random.default_rng(i).integers(0, 255, image.shape, np.uint8),
        "corners of the image before",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_images_are_doubted_and_the_first_one_after_them(what):
    spoil, said = BAD[what]
    found = changes(change=lambda i, image: spoil(i, image) if 5 <= i < 8 else image)
    assert [bool(item.doubt) for item in found] == [5 <= i < 9 for i in range(len(found))]
    assert said in found[5].doubt and not any(item.is_still for item in found)


def test_a_frozen_stream_is_doubted_until_it_changes():
    images = [render(pose, seed=i)[0] for i, pose in enumerate(DRIVE)]
    check = ImageCheck()
    found = [check.update(images[min(i, 5) if i < 8 else i]) for i in range(len(images))]
    assert ["frozen" in item.doubt for item in found] == [i in (6, 7) for i in range(len(images))]
    assert not found[-1].doubt


def test_a_kidnapped_camera_is_doubted_at_that_moment_only():
    elsewhere = make_transform(np.diag((-1.0, -1.0, 1.0)), (2.0, 0.5, -40.0))
    found = changes(DRIVE[:5] + [elsewhere @ pose for pose in DRIVE[:4]])
    assert [bool(item.doubt) for item in found] == [False] * 5 + [True] + [False] * 3


def test_standing_is_seen_for_as_long_as_it_lasts_and_creeping_is_not_standing():
    found = changes([np.eye(4)] * (STILL_IMAGES + 5))
    assert all(item.is_still and not item.doubt for item in found[1:STILL_IMAGES]) and found[-1].is_still
    creeping = changes(steps_to_poses(*[(0.0, 0.0, 0.004, 0.0, 0.0, 0.0)] * 20))
    moved = sum(not item.is_still for item in creeping[1:])
    assert 3 <= moved < 20, f"{moved} of 20 images at 4 mm per image are seen to move"
    assert [item.is_kept for item in creeping] == [not item.is_still for item in creeping]
