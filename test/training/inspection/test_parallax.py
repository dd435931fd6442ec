# SPDX-License-Identifier: Apache-2.0
"""Parallax separates translation of the camera from rotation."""

import cv2
import numpy as np
import pytest

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import axis_angle_to_rotation
from monodepth_ros.training.inspection.parallax import best_rotation, parallax_share

CAMERA = CameraModel.pinhole(320, 96, 190.0, 190.0, 159.5, 47.5)


def texture(width, height, seed=0):
    noise = np.random.default_rng(seed).integers(0, 256, (height // 5, width // 5), np.uint8)
    return cv2.GaussianBlur(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), (0, 0), 1.2)


def seen(picture, homography):
    return cv2.warpPerspective(picture, homography, (320, 96), flags=cv2.INTER_LINEAR)


def test_a_minority_of_moving_points_does_not_change_the_best_rotation():
    rng = np.random.default_rng(1)
    before = rng.normal(size=(200, 3)) * (0.5, 0.2, 0.01) + (0, 0, 1)
    before /= np.linalg.norm(before, axis=1, keepdims=True)
    R = axis_angle_to_rotation((0.02, -0.05, 0.01))
    after = before @ R.T
    after[:60] += rng.normal(size=(60, 3)) * 0.02
    error = np.linalg.norm(best_rotation(before, after) - R)
    assert error < 1e-4, f"off by {error:.2e}"


def test_a_rotation_has_no_parallax_and_an_approaching_plane_has():
    wide = texture(640, 240)
    place = np.array([[1.0, 0, -160], [0, 1, -72], [0, 0, 1]])
    first = seen(wide, place)
    R = axis_angle_to_rotation((0.01, 0.03, -0.01))
    turned = seen(wide, CAMERA.K @ R @ np.linalg.inv(CAMERA.K) @ place)
    nearer = np.array([[1.05, 0, -0.05 * 159.5], [0, 1.05, -0.05 * 47.5], [0, 0, 1]])
    share = parallax_share(first, turned, CAMERA), parallax_share(first, seen(wide, nearer @ place), CAMERA)
    assert share[0] < 0.05 and share[1] > 0.8, share


def test_a_rotation_has_no_parallax_through_a_distorting_lens_either():
    """Rays are compared, not pixels: seen through a barrel lens a rotation is not a homography."""
    lens = CameraModel(320, 96, K=CAMERA.K, D=np.array([-0.3, 0.09, 0, 0, 0]))
    pixels = np.stack(np.meshgrid(np.arange(320.0), np.arange(96.0)), -1)
    rays = lens.backproject(pixels, np.ones((96, 320)))
    wide, images = texture(900, 500), []
    for R in (np.eye(3), axis_angle_to_rotation((0.0, 0.04, 0.02))):
        turned = rays @ R.T
        x, y = (190 * turned[..., i] / turned[..., 2] + c for i, c in ((0, 449.5), (1, 249.5)))
        images.append(cv2.remap(wide, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR))
    known, unknown = parallax_share(*images, lens), parallax_share(*images, CAMERA)
    assert known < 0.05 and unknown > 0.2, (known, unknown)


@pytest.mark.parametrize("image", [np.full((96, 320), 90, np.uint8), np.zeros((96, 320), np.uint8)])
def test_images_without_texture_give_nan(image):
    assert np.isnan(parallax_share(image, image, CAMERA))
