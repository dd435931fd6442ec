# SPDX-License-Identifier: Apache-2.0
"""Depth of one camera at the pixels of another, for a plane with known depth in both."""

import numpy as np
import pytest

from monodepth_ros.evaluation.depth_in_camera import DepthInCamera
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import axis_angle_to_rotation

NORMAL, OFFSET = np.array((0.3, -0.2, 1.0)), 12.0  # a wall: NORMAL . X = OFFSET


def wall(camera):
    """Exact depth (H, W) along the axis of the camera's own frame."""
    pixels = np.stack(np.meshgrid(np.arange(camera.width), np.arange(camera.height)), axis=-1).astype(float)
    rays = camera.backproject(pixels, np.ones(pixels.shape[:2]))
    return (OFFSET / ((rays @ camera.R.T) @ NORMAL)).astype(np.float32)


@pytest.mark.parametrize(
    "target",
    [
        CameraModel.pinhole(640, 192, 371.0, 368.0, 319.5, 95.5),
        CameraModel.pinhole(320, 240, 250.0, 250.0, 150.0, 130.0),
        CameraModel(640, 192, K=[371, 0, 300, 0, 368, 100, 0, 0, 1], D=(-0.24, 0.075, 6e-4, -4e-4, -0.01)),
        CameraModel(
            640, 192, K=[371, 0, 300, 0, 368, 100, 0, 0, 1], D=(-0.02, 0.004, -0.001, 0.0002),
            distortion_model="equidistant", R=axis_angle_to_rotation((0.01, 0.03, -0.02)),
        ),
    ],
)  # fmt: skip
def test_the_walls_depth_is_the_same_through_every_camera(target):
    source = CameraModel.pinhole(416, 128, 241.0, 245.0, 207.5, 63.5)
    found, expected = DepthInCamera(source, target)(wall(source)), wall(target)
    seen = np.isfinite(found)
    error = np.abs(found[seen] / expected[seen] - 1).max()
    assert seen.mean() > 0.4 and error < 2e-3, f"{error:.2e} over {seen.mean():.0%} of the pixels"


def test_pixels_outside_the_source_are_nan():
    source, target = (CameraModel.pinhole(100, 80, f, f, 49.5, 39.5) for f in (100.0, 50.0))
    found = DepthInCamera(source, target)(np.full((80, 100), 5.0, np.float32))
    assert np.isnan(found[:18]).all() and np.isfinite(found[22:58, 27:73]).all()


def test_without_calibration_the_image_is_resized():
    source = CameraModel(32, 16, K=np.zeros((3, 3)))
    found = DepthInCamera(source, CameraModel(64, 32, K=np.zeros((3, 3))))(np.full((16, 32), 4.0, np.float32))
    np.testing.assert_allclose(found, np.full((32, 64), 4.0))


def test_infinite_and_missing_depth_are_kept():
    camera = CameraModel.pinhole(64, 32, 50.0, 50.0, 31.5, 15.5)
    depth = np.full((32, 64), 8.0, np.float32)
    depth[:8], depth[24:] = np.inf, np.nan
    found = DepthInCamera(camera, camera)(depth)
    assert np.isposinf(found[2:6, 5:-5]).all() and np.isnan(found[26:30]).all()
    np.testing.assert_allclose(found[10:20, 5:-5], 8.0, rtol=1e-5)
