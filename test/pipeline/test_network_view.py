# SPDX-License-Identifier: Apache-2.0
"""The network's view through cameras other than its training camera."""

import numpy as np
import pytest

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import exp_se3
from monodepth_ros.pipeline.network_view import view_through

KITTI = (0.58, 1.92, 0.5, 0.5)


def view(camera, training=KITTI):
    return view_through(camera, training, 640, 192, "area")


@pytest.mark.parametrize(
    "width, height, fx, fy, cx, cy",
    [
        (1242, 375, 721.5377, 721.5377, 609.5593, 172.854),
        (1241, 376, 718.856, 718.856, 607.1928, 185.2157),
        (1226, 370, 707.0912, 707.0912, 601.8873, 183.1104),
        (1224, 370, 707.0493, 707.0493, 604.0814, 180.5066),
        (1238, 374, 718.3351, 718.3351, 600.3891, 181.5122),
    ],
)
def test_every_kitti_day_is_a_plain_resize(width, height, fx, fy, cx, cy):
    found = view(CameraModel.pinhole(width, height, fx, fy, cx, cy))
    assert (found.kind, found.depth_factor) == ("resize", 1.0)
    assert found.resampler.valid is None


def test_a_wide_camera_renders_the_training_camera():
    camera = CameraModel.pinhole(1280, 960, 600.0, 600.0, 639.5, 479.5)
    found = view(camera)
    assert (found.kind, found.depth_factor) == ("render", 1.0)
    np.testing.assert_allclose(found.camera.normalized, KITTI)
    assert found.resampler.coverage > 0.99


def test_a_narrow_camera_is_cropped_and_its_depth_corrected():
    camera = CameraModel.pinhole(1280, 720, 1800.0, 1800.0, 639.5, 359.5)
    found = view(camera)
    assert found.kind == "crop"
    stretch = found.camera.fx / found.camera.fy
    assert abs(stretch - 1) < 0.03, f"stretched by {stretch}"
    # 1280 px of width become 640: the focal length is 900 network pixels, trained with 371.2 and 368.6.
    assert abs(found.depth_factor - 900 / 369.9) < 0.02, found.depth_factor
    assert "2.43" in found.description


def test_pixels_of_the_training_camera_that_the_live_camera_does_not_see_are_invalid():
    camera = CameraModel.pinhole(640, 192, 400.0, 400.0, 319.5, 95.5)
    found = view(camera)
    assert found.kind == "render"
    invalid = 1 - found.resampler.coverage
    assert 0.05 < invalid < 0.20
    assert not found.resampler.valid[0, 0] and found.resampler.valid[96, 320]


@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640), (1280, 720), (1242, 375), (500, 500)])
def test_an_uncalibrated_camera_keeps_square_pixels_and_has_a_guessed_field_of_view(width, height):
    found = view(CameraModel.uncalibrated(width, height))
    camera = found.image_camera
    across = np.degrees(2 * np.arctan(0.5 * max(width, height) / camera.fx))
    assert across == pytest.approx(60.0) and camera.fx == camera.fy, (across, camera.K)
    stretch = found.camera.fx / found.camera.fy
    assert abs(stretch - 1) < 0.04, f"the image is stretched by {stretch:.2f}"
    assert not found.is_calibrated and "not calibrated" in found.description


def test_the_field_of_view_of_an_uncalibrated_camera_may_be_stated():
    found = view(CameraModel.uncalibrated(1280, 960, 93.7))
    assert found.kind == "render" and found.image_camera.fx == pytest.approx(600, rel=1e-3)
    assert not found.is_calibrated and "94 degrees" in found.description


def test_a_distorted_camera_is_rectified_on_the_way():
    K = np.array([[371.2, 0, 319.5], [0, 368.6, 95.5], [0, 0, 1]])
    camera = CameraModel(640, 192, K=K, D=np.array([-0.1, 0.01, 0, 0, 0]), distortion_model="plumb_bob")
    found = view(camera)
    assert found.kind == "resize"
    image = np.random.default_rng(0).integers(0, 255, (192, 640, 3), np.uint8)
    assert not np.array_equal(found.resampler(image), image)


def test_a_crop_keeps_lateral_motion_and_roll_and_corrects_the_rest():
    found = view(CameraModel.pinhole(1280, 720, 1800.0, 1800.0, 639.5, 359.5))
    said = exp_se3(np.array([0.1, 0.2, 0.3, 0.02, 0.04, 0.01]))
    corrected = found.correct_motion(said)
    factor = found.depth_factor
    np.testing.assert_allclose(corrected[:3, 3], said[:3, 3] * (1, 1, factor))
    resize = view(CameraModel.from_normalized(1280, 384, KITTI))
    np.testing.assert_array_equal(resize.correct_motion(said), said)


def test_the_corrected_motion_of_a_crop_gives_the_image_motion_that_the_network_saw():
    """Points seen with f = 2 f0 that move by the corrected motion move in the image as the network assumed."""
    f0, ratio = 370.0, 2.0
    found = view(CameraModel.pinhole(1280, 384, 2 * 2 * f0, 2 * 2 * f0, 639.5, 191.5))
    assert found.kind == "crop" and abs(found.depth_factor - ratio) < 0.01
    said = exp_se3(np.array([0.02, -0.01, 0.3, 0.002, -0.004, 0.003]))
    true = found.correct_motion(said)
    rng = np.random.default_rng(0)
    pixels = rng.uniform((-200, -80), (200, 80), (100, 2))
    depth = rng.uniform(5, 40, 100)

    def moved(T, focal, z):
        points = np.column_stack((pixels / focal * z[:, None], z))
        later = points @ T[:3, :3].T + T[:3, 3]
        return later[:, :2] / later[:, 2:] * focal

    thought = moved(said, f0, depth) - pixels
    seen = moved(true, found.camera.fx, depth * found.depth_factor) - pixels
    uncorrected = moved(said, found.camera.fx, depth * found.depth_factor) - pixels
    error, error_before = np.abs(thought - seen).max(), np.abs(thought - uncorrected).max()
    # What remains is of second order in the rotation.
    assert error < 0.1 * error_before and error < 0.5, f"image motion differs by {error} px, {error_before} uncorrected"


def test_image_coverage_is_the_share_of_the_image_that_the_network_sees():
    camera = CameraModel.pinhole(640, 480, fx=550.0, fy=550.0, cx=319.5, cy=239.5)
    kitti = (0.58, 1.92, 0.5, 0.5)
    view = view_through(camera, kitti, 640, 192, "area")
    assert view.kind == "crop"
    assert view.image_coverage == pytest.approx(192 / 480, abs=0.01)
    same = view_through(CameraModel.from_normalized(1242, 375, kitti), kitti, 640, 192, "area")
    assert same.image_coverage == pytest.approx(1.0)
