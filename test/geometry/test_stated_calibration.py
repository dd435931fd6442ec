# SPDX-License-Identifier: Apache-2.0
"""A camera_info is read as REP-104 says, or as the driver evidently meant it, and that is said."""

from types import SimpleNamespace

import numpy as np
import pytest

from monodepth_ros.geometry.camera import CalibrationError, CameraModel
from monodepth_ros.geometry.stated_calibration import stated_calibration

K = np.array([[190.0, 0, 127.5], [0, 190.0, 79.5], [0, 0, 1]])


def info(width=256, height=160, k=K, p=None, binning=(0, 0), roi=None, d=()):
    """An object with the fields of sensor_msgs/CameraInfo; roi: x, y, width, height."""
    x, y, wide, high = roi or (0, 0, 0, 0)
    return SimpleNamespace(
        width=width,
        height=height,
        distortion_model="plumb_bob",
        d=d,
        k=np.ravel(k),
        r=np.eye(3).ravel(),
        p=np.ravel(np.hstack([k, np.zeros((3, 1))]) if p is None else p),
        binning_x=binning[0],
        binning_y=binning[1],
        roi=SimpleNamespace(x_offset=x, y_offset=y, width=wide, height=high),
    )


def scaled(K, factor):
    return np.array([[factor, 0, 0.5 * factor - 0.5], [0, factor, 0.5 * factor - 0.5], [0, 0, 1]]) @ K


def test_binning_of_the_full_calibration_is_applied_without_a_word():
    message = info(1024, 640, scaled(K, 4), binning=(4, 4))
    camera = CameraModel.from_camera_info(message)
    np.testing.assert_allclose(camera.K, K, atol=1e-9)
    assert (camera.width, camera.height) == (256, 160) and not stated_calibration(message).note


def test_binning_that_is_in_k_already_is_not_applied_again():
    message = info(1024, 640, K, binning=(4, 4))
    camera = CameraModel.from_camera_info(message)
    np.testing.assert_allclose(camera.K, K)
    np.testing.assert_allclose(camera.P[:, :3], K)
    assert (camera.width, camera.height) == (256, 160)
    note = stated_calibration(message).note
    assert note.startswith("binning is in K already") and "12 % of the width of the full 1024x640 image" in note


@pytest.mark.parametrize(
    ("k", "what"), [(K, "in its size and in K"), (scaled(K, 2), "in its size already, and not in K")]
)
def test_the_size_of_the_images_tells_what_the_binning_is_in_already(k, what):
    stated = stated_calibration(info(k=k, binning=(2, 2)), (256, 160))
    camera = CameraModel.as_stated(stated)
    np.testing.assert_allclose(camera.K, K, atol=1e-9)
    np.testing.assert_allclose(camera.P[:, :3], K, atol=1e-9)
    assert (camera.width, camera.height) == (256, 160) and stated.note.startswith(f"binning is {what}")
    applied = stated_calibration(info(512, 320, scaled(K, 2), binning=(2, 2)), (256, 160))
    np.testing.assert_allclose(CameraModel.as_stated(applied).K, K, atol=1e-9)
    assert not applied.note


def test_a_size_of_0x0_beside_intrinsics_is_that_of_the_images():
    stated = stated_calibration(info(0, 0), (256, 160))
    assert (stated.width, stated.height) == (256, 160) and stated.note == (
        "it states no size (0x0): that of the images is taken, 256x160"
    )
    with pytest.raises(CalibrationError, match="image size is 0x0"):
        stated_calibration(info(0, 0))


@pytest.mark.parametrize(("count", "model"), [(5, "plumb_bob"), (8, "rational_polynomial")])
def test_coefficients_without_a_models_name_are_opencvs_if_their_number_says_so(count, model):
    message = info(d=np.full(count, 0.01))
    message.distortion_model = ""
    stated = stated_calibration(message)
    assert stated.model == model and f"the {count} coefficients are taken as {model}" in stated.note
    message.d = np.full(4, 0.01)  # of a fisheye, or not
    with pytest.raises(CalibrationError, match="distortion model is empty"):
        CameraModel.from_camera_info(message)


@pytest.mark.parametrize("name", ["equidistant", "fisheye", "Kannala Brandt4"])
def test_a_fisheye_without_coefficients_is_a_pinhole_and_that_is_said(name):
    message = info(d=np.zeros(8))
    message.distortion_model = name
    assert f"of the '{name}' distortion are zero: the images are taken as those of a pinhole" in (
        stated_calibration(message).note
    )
    assert not CameraModel.from_camera_info(message).is_distorted
    message.d = (0.01, 0, 0, 0)
    assert not stated_calibration(message).note


def test_a_roi_that_is_in_k_already_is_not_applied_again():
    message = info(1024, 640, K, roi=(512, 320, 256, 160))
    np.testing.assert_allclose(CameraModel.from_camera_info(message).K, K)
    assert stated_calibration(message).note.startswith("roi is in K already")


@pytest.mark.parametrize(
    ("what", "k"),
    [
        ("", scaled(K, 4) + np.array([[0, 0, 100.0], [0, 0, 60.0], [0, 0, 0]])),
        ("binning is", K + np.array([[0, 0, 64.0], [0, 0, 40.0], [0, 0, 0]])),
        ("roi is", scaled(K, 4)),
        ("binning and roi are", K),
    ],
)
def test_binning_and_roi_together_are_told_apart(what, k):
    """A crop of 1024x640 at (256, 160) from 2800x1800, binned by 4."""
    offset = {"": (100, 60)}.get(what, (256, 160))
    message = info(2800, 1800, k, binning=(4, 4), roi=(*offset, 1024, 640))
    camera = CameraModel.from_camera_info(message)
    np.testing.assert_allclose(camera.K, K, atol=1e-9)
    assert (camera.width, camera.height) == (256, 160)
    assert stated_calibration(message).note.startswith(what) and bool(stated_calibration(message).note) == bool(what)


def test_a_crop_beside_the_principal_point_is_taken_as_stated():
    message = info(1024, 640, scaled(K, 4), roi=(0, 0, 256, 160))
    stated = stated_calibration(message)
    assert stated.is_off_centre and not stated.note
    assert CameraModel.from_camera_info(message).cx == scaled(K, 4)[0, 2]


@pytest.mark.parametrize(
    ("divided", "by"), [((256, 160), "width and height"), ((256, 256), "width"), ((160, 160), "height")]
)
def test_k_divided_by_the_size_of_the_image_is_multiplied_by_it(divided, by):
    message = info(k=np.diag([1 / divided[0], 1 / divided[1], 1]) @ K)
    camera = CameraModel.from_camera_info(message)
    np.testing.assert_allclose(camera.K, K, rtol=1e-12)
    np.testing.assert_allclose(camera.P[:, :3], K, rtol=1e-12)
    assert f"K is divided by the image's {by} (fx" in stated_calibration(message).note


def test_p_alone_is_the_calibration_of_rectified_images_with_its_baseline():
    P = np.hstack([K, [[-19.0], [0], [0]]])
    camera = CameraModel.from_camera_info(info(k=np.zeros((3, 3)), p=P, d=(0.0,) * 5))
    assert camera.is_rectified and camera.baseline == pytest.approx(0.1)
    np.testing.assert_allclose(camera.K, K)


def test_a_size_of_zero_is_refused_only_beside_intrinsics():
    with pytest.raises(CalibrationError, match="image size is 0x0"):
        CameraModel.from_camera_info(info(0, 0))


@pytest.mark.parametrize(
    ("size", "mistake"),
    [
        ((160, 256), " (width and height are swapped)"),
        ((128, 80), " (the same aspect: the images are 0.5 times as large)"),
        ((256, 144), ""),
    ],
)
def test_an_image_of_another_size_is_refused_with_the_likely_mistake(size, mistake):
    with pytest.raises(CalibrationError) as caught:
        CameraModel.from_camera_info(info()).check_size(*size, "/c/camera_info")
    expected = f"image of {size[0]}x{size[1]} but /c/camera_info is for 256x160{mistake}: use the calibration that"
    assert str(caught.value).startswith(expected)
