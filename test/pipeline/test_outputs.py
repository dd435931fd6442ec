# SPDX-License-Identifier: Apache-2.0
"""Depth image, cloud and colour picture, from disparity."""

import numpy as np
import pytest

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.pictures.color_picture import color_picture
from monodepth_ros.pipeline.depth_image import DepthResizer, depth_from_disparity, depth_statistics, to_millimetres
from monodepth_ros.pipeline.network_view import view_through
from monodepth_ros.pipeline.point_cloud import CLOUD_DTYPE, colored_points

CAMERA = CameraModel.pinhole(8, 6, 10.0, 12.0, 3.5, 2.5)


def test_depth_is_the_factor_over_disparity_with_marks_for_values_out_of_range():
    disparity = np.array([[0.1, 1.0, 0.001, 100.0, np.nan]], np.float32)
    depth = depth_from_disparity(disparity, 5.4, 0.1, 100.0)
    np.testing.assert_allclose(depth, [[54.0, 5.4, np.inf, -np.inf, np.nan]], rtol=1e-6)
    assert depth.dtype == np.float32


def test_millimetres_are_zero_without_a_depth_that_fits():
    depth = np.array([[1.2345, 65.535, 65.6, np.inf, -np.inf, np.nan, 0.0]], np.float32)
    np.testing.assert_array_equal(to_millimetres(depth), [[1234, 65535, 0, 0, 0, 0, 0]])


def test_statistics_cover_finite_values_only():
    depth = np.full((8, 8), np.nan, np.float32)
    depth[:4] = 2.0
    depth[0, 0] = np.inf
    found = depth_statistics(depth)
    assert (found.minimum, found.median, found.maximum, found.valid_ratio) == (2.0, 2.0, 2.0, 0.25)
    assert depth_statistics(np.full((8, 8), np.nan, np.float32)).valid_ratio == 0.0


def test_cloud_points_project_back_to_their_pixels():
    rng = np.random.default_rng(0)
    depth = rng.uniform(1, 20, (6, 8)).astype(np.float32)
    rgb = rng.integers(0, 255, (6, 8, 3), np.uint8)
    points, is_dense = colored_points(depth, rgb, CAMERA, 1, 0.5, 60.0)
    assert points.dtype == CLOUD_DTYPE and points.shape == (6, 8) and is_dense
    xyz = np.stack([points[name] for name in "xyz"], axis=-1).astype(np.float64)
    u, v = np.meshgrid(np.arange(8), np.arange(6))
    np.testing.assert_allclose(CAMERA.project(xyz), np.stack((u, v), axis=-1), atol=1e-4)
    np.testing.assert_array_equal(points["z"], depth)
    packed = points["rgb"].view(np.uint32)
    np.testing.assert_array_equal(np.stack((packed >> 16, packed >> 8 & 255, packed & 255), axis=-1), rgb)


@pytest.mark.parametrize("stride", [1, 2, 3, 5])
def test_stride_keeps_the_cloud_organised(stride):
    depth = np.arange(48, dtype=np.float32).reshape(6, 8) + 1
    points, _ = colored_points(depth, np.zeros((6, 8, 3), np.uint8), CAMERA, stride, 0.5, 60.0)
    np.testing.assert_array_equal(points["z"], depth[::stride, ::stride])


def test_points_out_of_range_are_nan_and_the_cloud_is_not_dense():
    depth = np.array([[0.4, 1.0, 70.0, np.nan, np.inf, -np.inf, 2.0, 3.0]] * 6, np.float32)
    points, is_dense = colored_points(depth, np.zeros((6, 8, 3), np.uint8), CAMERA, 1, 0.5, 60.0)
    assert not is_dense
    finite = np.isfinite(points["x"]) & np.isfinite(points["y"]) & np.isfinite(points["z"])
    np.testing.assert_array_equal(finite[0], [False, True, False, False, False, False, True, True])


def test_near_is_brighter_than_far_and_invalid_is_black():
    depth = np.linspace(2, 50, 64 * 64, dtype=np.float32).reshape(64, 64)
    depth[0, :8] = np.nan
    picture = color_picture(depth)
    assert picture.shape == (64, 64, 3) and picture.dtype == np.uint8
    assert picture[4].sum() > picture[32].sum() > picture[60].sum()
    assert picture[0, :8].sum() == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 5.0])
def test_a_depth_image_without_spread_still_makes_a_picture(value):
    assert color_picture(np.full((16, 16), value, np.float32)).shape == (16, 16, 3)


def test_at_image_size_disparity_is_resized_and_then_inverted():
    camera = CameraModel.from_normalized(1280, 384, (0.58, 1.92, 0.5, 0.5))
    view = view_through(camera, (0.58, 1.92, 0.5, 0.5), 640, 192, "area")
    disparity = np.where(np.arange(640) < 320, 1.0, 0.1).astype(np.float32)[None].repeat(192, 0)
    enlarged = DepthResizer(view)(disparity)
    assert enlarged.shape == (384, 1280)
    # Between depth 1 and 10 the mean of disparities is 0.55 - 0.225 towards each side, not the mean of depths.
    np.testing.assert_allclose(enlarged[100, 638:642], [1.0, 0.775, 0.325, 0.1], atol=1e-6)


def test_at_image_size_pixels_outside_the_networks_view_are_nan():
    camera = CameraModel.pinhole(1280, 960, 600.0, 600.0, 639.5, 479.5)
    view = view_through(camera, (0.58, 1.92, 0.5, 0.5), 640, 192, "area")
    enlarged = DepthResizer(view)(np.full((192, 640), 0.1, np.float32))
    assert enlarged.shape == (960, 1280)
    assert np.isnan(enlarged[0]).all() and np.isnan(enlarged[-1]).all()
    np.testing.assert_allclose(enlarged[480, 640], 0.1, atol=1e-6)
    # 26.1 of 90 degrees of height, 92.3 % of the width's tangent.
    share = np.isfinite(enlarged).mean()
    expected = (0.5 / 1.92 * 600 / 480) * min(1.0, 0.5 / 0.58 * 600 / 640)
    assert abs(share - expected) < 0.01, f"{share} of the image has depth, expected {expected}"
