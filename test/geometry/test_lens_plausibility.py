# SPDX-License-Identifier: Apache-2.0
"""Calibrations that no lens has are told with the number and the likely cause; usual lenses are not."""

import numpy as np
import pytest

from monodepth_ros.geometry.camera import CalibrationError, CameraModel
from monodepth_ros.geometry.lens_plausibility import lens_problem

WIDTH, HEIGHT = 640, 480


def camera(fx=500.0, fy=None, cx=319.5, cy=239.5, D=(), model="plumb_bob", size=(WIDTH, HEIGHT)):
    K = np.array([[fx, 0, cx], [0, fy or fx, cy], [0, 0, 1]])
    return CameraModel(*size, K, np.array(D), model)


USUAL = {
    "webcam": camera(),
    "narrow": camera(fx=6000.0),
    "wide": camera(fx=180.0),
    "distorted": camera(D=(-0.31, 0.11, 0.0004, -0.0007, -0.02)),
    "GoPro": camera(fx=300.0, D=(-0.27, 0.09, 0, 0, -0.013)),
    "fisheye of 200 degrees": camera(fx=180.0, D=(0.01, -0.002, 0.001, 0.0), model="equidistant"),
    "off centre": camera(cx=240.0, cy=300.0),
    "KITTI": camera(721.5, 721.5, 609.6, 172.9, size=(1242, 375)),
    "uncalibrated": CameraModel.uncalibrated(WIDTH, HEIGHT),
}


@pytest.mark.parametrize("name", USUAL)
def test_a_usual_lens_is_no_problem(name):
    assert lens_problem(USUAL[name]) == ""


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (camera(D=(50.0, 3.0, 1.0, 1.0, 1.0)), ("is 65 degrees, by the plumb_bob distortion", "in another order?")),
        (camera(fx=200.0, D=(900.0, 90.0, 9.0, 9.0), model="equidistant"), ("is 183 degrees", "another model")),
        (camera(fx=10.0), ("fx 10 is a field of view of 176.4 degrees for images 640 pixels wide", "other units")),
        (camera(fx=20000.0), ("a field of view of 1.833 degrees", "another camera")),
        (camera(fx=100.0, D=(1e-9, 0, 0, 0), model="equidistant"), ("366.7 degrees", "other units")),
        (camera(cx=159.5, cy=119.5), ("lies at 25 % of the width and 25 % of the height",)),
        (camera(cx=79.5, cy=59.5), ("at 12 % of the width", "K fits an image of 160x120", "binning or roi")),
        (camera(cx=639.5, cy=479.5), ("at 100 %", "K fits an image of 1280x960", "another resolution")),
        (camera(cx=121.0, cy=410.0), ("(expected 25 to 75 %)", "cropped, or is it the calibration of another")),
        (camera(cx=359.5, cy=639.5, size=(1280, 720)), ("K fits an image of 720x1280", "swapped")),
        (camera(fx=500.0, fy=281.0), ("fx 500 and fy 281 differ by a factor of 1.78", "another aspect")),
        (camera(fx=300.0, D=(-0.5, 0, 0, 0, 0)), ("folds inside the image: no ray reaches", "% of the pixels")),
    ],
)
def test_an_impossible_lens_is_told_with_its_number_and_cause(model, words):
    problem = lens_problem(model)
    if words[0].startswith("lies at 25"):
        assert problem == "", "the limit itself is usual"
    else:
        assert all(word in problem for word in words), problem


def test_a_known_crop_explains_a_principal_point_at_the_border():
    assert lens_problem(camera(cx=600.0), is_off_centre=True) == ""


@pytest.mark.parametrize("fx", [0.7, 2e6])
def test_a_field_of_view_that_no_lens_has_is_refused(fx):
    with pytest.raises(CalibrationError, match=r"is a field of view of .* degrees .*: expected K in pixels"):
        lens_problem(camera(fx=fx))
