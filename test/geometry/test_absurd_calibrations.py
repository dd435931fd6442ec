# SPDX-License-Identifier: Apache-2.0
"""Numbers that no camera has are refused in words, before anything is computed with them."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from monodepth_ros.data.cameras.info_camera import ImagesOf, camera_of_info
from monodepth_ros.geometry.camera import CalibrationError, CameraModel

HUGE, SIZE = 4_000_000_000, (256, 160)
K = np.array([[190.0, 0, 127.5], [0, 190.0, 79.5], [0, 0, 1]])
P = np.hstack([K, np.zeros((3, 1))])


def info(width=256, height=160, k=K, p=None, r=np.eye(3), binning=(0, 0), roi=(0, 0, 0, 0), d=()):
    """An object with the fields of sensor_msgs/CameraInfo; roi: x, y, width, height."""
    x, y, wide, high = roi
    matrices = dict(k=np.ravel(k), r=np.ravel(r), p=np.ravel(np.hstack([k, np.zeros((3, 1))]) if p is None else p))
    return SimpleNamespace(
        **matrices,
        width=width,
        height=height,
        distortion_model="plumb_bob",
        d=d,
        binning_x=binning[0],
        binning_y=binning[1],
        roi=SimpleNamespace(x_offset=x, y_offset=y, width=wide, height=high),
    )


def changed(matrix, row, column, value):
    matrix = np.array(matrix, np.float64)
    matrix[row, column] = value
    return matrix


ABSURD = {
    "NaN focal length": (dict(k=changed(K, 0, 0, np.nan)), "expected finite numbers"),
    "infinite focal length": (dict(k=changed(K, 1, 1, np.inf)), "expected finite numbers"),
    "negative focal length": (dict(k=changed(K, 0, 0, -190.0), p=P), "fx and fy above 0"),
    "zero fy": (dict(k=changed(K, 1, 1, 0.0), p=P), "fx and fy above 0"),
    "huge focal length": (dict(k=changed(K, 0, 0, 1e300), p=P), "up to 1e\\+12"),
    "too large focal length": (dict(k=changed(changed(K, 0, 0, 1e9), 1, 1, 1e9), p=P), "fx and fy from"),
    "tiny focal length": (dict(k=changed(K, 0, 0, 1e-300), p=P), "fx and fy from"),
    "huge principal point": (dict(k=changed(K, 0, 2, 1e9), p=P), "cx and cy up to"),
    "K singular": (dict(k=np.ones((3, 3)), p=P), "expected \\[\\[fx, 0, cx\\]"),
    "many coefficients": (dict(d=np.ones(1000)), "D has 1000 distortion coefficients"),
    "many zeros": (dict(d=np.zeros(1000)), "D has 1000"),
    "huge coefficient": (dict(d=[1e300, 0, 0, 0, 0]), "finite numbers up to 1e\\+06"),
    "infinite coefficient": (dict(d=[0, 0, 0, 0, np.inf]), "finite numbers"),
    "R of ones": (dict(r=np.ones((3, 3))), "expected a rotation"),
    "R huge": (dict(r=np.eye(3) * 1e300), "R is .* finite numbers"),
    "R large": (dict(r=np.eye(3) * 1e11), "expected a rotation"),
    "R mirrored": (dict(r=np.diag([-1.0, 1, 1])), "expected a rotation"),
    "R NaN": (dict(r=np.full((3, 3), np.nan)), "finite"),
    "P singular": (dict(p=np.ones((3, 4))), "P is .* expected"),
    "P huge": (dict(p=changed(P, 0, 3, 1e300)), "P is .* finite numbers"),
    "P with a far partner": (dict(p=changed(P, 0, 3, -190 * 1e6)), "baseline of more than"),
    "no width": (dict(width=0), "image size is 0x160"),
    "huge size": (dict(width=HUGE, height=HUGE), "image size is 4000000000x"),
    "many pixels": (dict(width=30_000, height=30_000), "at most 134217728 pixels in all"),
    "huge binning": (dict(binning=(HUGE, 1)), "binning 4000000000x1 .* no pixel"),
    "binning of everything": (dict(binning=(257, 1)), "no pixel"),
    "roi outside": (dict(roi=(100, 0, 200, 100)), "leaves the 256x160 image"),
    "roi far away": (dict(roi=(HUGE, HUGE, HUGE, HUGE)), "leaves the"),
}


@pytest.mark.parametrize("name", ABSURD)
def test_absurd_camera_infos_are_refused_in_one_line_that_names_the_topic(name):
    changes, words = ABSURD[name]
    message = info(**changes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(CalibrationError, match=words) as refused:
            camera_of_info(message, ImagesOf("/image", "/camera_info", size=SIZE))
    text = str(refused.value)
    assert text.startswith("/camera_info: ") and len(text) < 2001 and "\n" not in text


def test_hostile_names_of_distortion_models_are_shown_on_one_short_line():
    message = info(d=[0.1, 0, 0, 0, 0])
    message.distortion_model = "a\x1b[31m b\n" * 5000
    with pytest.raises(CalibrationError, match="distortion model is 'a.\\[31m b") as refused:
        camera_of_info(message, ImagesOf("/image", "/camera_info", size=SIZE))
    assert len(str(refused.value)) < 500 and str(refused.value).isprintable()


@pytest.mark.parametrize("size", [(np.nan, 10), (np.inf, 10), (10.5, 10), (-3, 10)])
def test_sizes_that_are_no_whole_numbers_of_pixels_are_refused(size):
    with pytest.raises(CalibrationError, match="image size is"):
        CameraModel(*size, K=K)


def test_the_largest_lenses_and_sensors_are_accepted():
    k = np.array([[1e6, 0, 8e3], [0, 1e6, 4e3], [0, 0, 1]])
    assert CameraModel(16384, 8192, K=k, P=np.hstack([k, [[-1e6 * 100], [0], [0]]])).baseline == pytest.approx(100)


@pytest.mark.parametrize(("model", "length"), [("rational_polynomial", 8), ("plumb_bob", 5)])
@pytest.mark.parametrize("tiny", [5e-324, 1e-300, -1e-200])
def test_a_last_coefficient_of_almost_zero_is_one_of_zero(model, length, tiny):
    points = np.array([[0.1, 0.2, 1.0], [-0.3, 0.0, 1.0]])
    D = [0.0] * (length - 1)
    cameras = [CameraModel(64, 48, np.diag([40.0, 40.0, 1.0]), (*D, last), model) for last in (tiny, 0.0)]
    np.testing.assert_allclose(cameras[0].project(points), cameras[1].project(points))
