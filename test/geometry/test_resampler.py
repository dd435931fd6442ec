# SPDX-License-Identifier: Apache-2.0
"""Resampler: exact crops and resizes, rendered views against an analytic world, valid pixels at the borders."""

import dataclasses
from functools import lru_cache

import cv2
import numpy as np
import pytest

from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import CalibrationError, CameraModel
from monodepth_ros.geometry.lenses.distortion import domain_radius
from monodepth_ros.geometry.resample import Resampler

PINHOLE = CameraModel.pinhole(310, 188, 180.0, 180.0, 152.0, 86.5)


def rotation(x, y, z):
    return cv2.Rodrigues(np.array([x, y, z], dtype=np.float64))[0]


def camera(model, D, f, width=320, height=240, turn=(0.01, -0.02, 0.015)):
    K = np.array([[f, 0, 0.51 * width], [0, 1.02 * f, 0.48 * height], [0, 0, 1]])
    return CameraModel(width, height, K=K, D=D, distortion_model=model, R=rotation(*turn))


DISTORTED = {
    "plumb_bob": camera("plumb_bob", [-0.30, 0.11, 1.2e-3, -9e-4, -0.02], 256),
    "rational_polynomial": camera("rational_polynomial", [6.2, 3.1, 3e-4, -2e-4, 0.12, 6.5, 5.1, 0.8], 192),
    "equidistant": camera("equidistant", [-0.02, 0.003, -0.002, 0.0004], 160),
    "turned pinhole": camera("plumb_bob", [], 256),
}
each_camera = pytest.mark.parametrize("source", DISTORTED.values(), ids=DISTORTED)


def skewed(cam, skew):
    K = cam.K.copy()
    K[0, 1] = skew
    return dataclasses.replace(cam, K=K)


WIDE = {
    "double_sphere": camera("double_sphere", [-0.2, 0.57], 140),
    "omnidirectional": camera("omnidirectional", [1.4, -0.1, 0.02, 1e-3, -1e-3], 380),
    "fisheye with skew": skewed(DISTORTED["equidistant"], -6.0),
    "pinhole with skew": skewed(PINHOLE, 9.0),
}
every_camera = pytest.mark.parametrize("source", (DISTORTED | WIDE).values(), ids=DISTORTED | WIDE)


def noise(cam, channels=(3,), dtype=np.uint8):
    image = np.random.default_rng(0).integers(0, 256, (cam.height, cam.width, *channels))
    return image.astype(dtype)


def pattern(rays):
    """Grey values (..., 3) from 0 to 255 of rays (..., 3) in the rectified frame: a smooth world at infinity."""
    x, y = np.arctan2(rays[..., 0], rays[..., 2]), np.arctan2(rays[..., 1], rays[..., 2])
    waves = [np.sin(9 * x + 2 * y), np.cos(7 * y - 2 * x), np.sin(6 * (x + y))]
    return 127.5 + 120 * np.stack(waves, axis=-1)


@lru_cache(maxsize=64)
def photograph(cam, samples=3):
    """The camera's image of the pattern, averaged over its pixels, float32."""
    total = 0
    for dx, dy in np.ndindex(samples, samples):
        u, v = np.meshgrid(np.arange(cam.width), np.arange(cam.height))
        pixels = np.stack([u + (dx + 0.5) / samples - 0.5, v + (dy + 0.5) / samples - 0.5], axis=-1)
        rays = cam.backproject(pixels, np.ones((cam.height, cam.width)))
        total = total + pattern(rays @ cam.R.T)
    return np.nan_to_num(total / samples**2).astype(np.float32)


def test_the_same_camera_returns_the_same_image():
    image = noise(PINHOLE)
    resampler = Resampler(PINHOLE, PINHOLE)
    assert np.array_equal(resampler(image), image) and resampler.valid is None and resampler.coverage == 1.0


@pytest.mark.parametrize("size", [(155, 94), (96, 64), (309, 187), (310, 100)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("channels", [(3,), (1,), ()])
def test_plain_downscale_is_opencvs_area_resize_bit_for_bit(size, dtype, channels):
    image = noise(PINHOLE, channels, dtype)
    ours = Resampler(PINHOLE, PINHOLE.resized(*size))(image)
    theirs = cv2.resize(image, size, interpolation=cv2.INTER_AREA).reshape(ours.shape)
    assert ours.dtype == dtype and ours.shape == (size[1], size[0], *channels)
    assert np.array_equal(ours, theirs), f"{np.abs(ours.astype(float) - theirs).max()}"


def test_plain_upscale_is_opencvs_linear_resize_bit_for_bit():
    image = noise(PINHOLE)
    ours = Resampler(PINHOLE, PINHOLE.resized(500, 400))(image)
    assert np.array_equal(ours, cv2.resize(image, (500, 400), interpolation=cv2.INTER_LINEAR))


def test_shrinking_one_axis_and_enlarging_the_other_averages_where_it_shrinks():
    image = noise(PINHOLE, dtype=np.float32)
    ours = Resampler(PINHOLE, PINHOLE.resized(155, 300))(image)
    halved = cv2.resize(image, (155, 188), interpolation=cv2.INTER_AREA)
    assert np.array_equal(ours, cv2.resize(halved, (155, 300), interpolation=cv2.INTER_LINEAR))


def test_a_crop_is_copied_and_then_resized_without_remap():
    image = noise(PINHOLE)
    crop = PINHOLE.cropped(20, 10, 200, 120)
    assert np.array_equal(Resampler(PINHOLE, crop)(image), image[10:130, 20:220])
    small = Resampler(PINHOLE, crop.resized(64, 32))
    expected = cv2.resize(image[10:130, 20:220], (64, 32), interpolation=cv2.INTER_AREA)
    assert np.array_equal(small(image), expected) and small.valid is None


def test_an_uncalibrated_camera_is_resized_whole():
    blind = CameraModel(310, 188, np.zeros((3, 3)))
    image = noise(blind)
    expected = cv2.resize(image, (64, 32), interpolation=cv2.INTER_AREA)
    assert np.array_equal(Resampler(blind, blind.resized(64, 32))(image), expected)


def test_bilinear_filter_is_opencvs_linear_resize():
    image = noise(PINHOLE)
    ours = Resampler(PINHOLE, PINHOLE.resized(96, 64), filter="bilinear")(image)
    assert np.array_equal(ours, cv2.resize(image, (96, 64), interpolation=cv2.INTER_LINEAR))


@every_camera
@pytest.mark.parametrize("zoom", [1.0, 0.6, 0.45, 0.2])
@pytest.mark.parametrize("filter, tolerance", [("area", 0.5), ("lanczos", 1.6)])
def test_rendered_view_shows_what_the_target_camera_would_see(source, zoom, filter, tolerance):
    """zoom: number of target pixels per source pixel near the axis."""
    target = source.rectified().resized(round(source.width * zoom), round(source.height * zoom))
    resampler = Resampler(source, target, filter)
    ours, exact = resampler(photograph(source)), photograph(target)
    inner = np.ones((target.height, target.width), bool) if resampler.valid is None else resampler.valid
    inner = cv2.erode(inner.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=0).astype(bool)
    error = np.abs(ours - exact)[inner]
    assert inner.mean() > 0.8
    assert error.max() < tolerance and error.mean() < 0.3 * tolerance, f"{error.max()}, mean {error.mean()}"


@every_camera
def test_uint8_rendering_equals_the_float_rendering_within_a_grey_level(source):
    target = source.rectified().resized(192, 144)
    image = photograph(source)
    resampler = Resampler(source, target)
    error = np.abs(resampler(np.rint(image).astype(np.uint8)) - resampler(image)).max()
    assert error <= 1.5, error


@each_camera
def test_bilinear_rendering_equals_opencvs_rectification(source):
    init = (cv2.fisheye if source.distortion_model == "equidistant" else cv2).initUndistortRectifyMap
    target = source.rectified()
    maps = init(source.K, source.D, source.R, target.K, (target.width, target.height), cv2.CV_32FC1)
    image = photograph(source, samples=1)
    theirs = cv2.remap(image, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    resampler = Resampler(source, target, "bilinear")
    valid = slice(None) if resampler.valid is None else resampler.valid
    error = np.abs(resampler(image) - theirs)[valid].max()
    assert error < 0.3, f"{error} grey levels"  # map coordinates are held to 1/64 px


def test_area_means_are_closer_than_single_samples_of_a_fine_texture():
    """A sub-pixel crop of noise, shrunk twice: the mean of 4 samples has half the deviation of one."""
    fine = CameraModel.pinhole(600, 400, 300, 300, 300, 200)
    target = fine.cropped(3.3, 2.6, 590, 390).resized(295, 195)
    image = noise(fine, dtype=np.float32)
    area, single = Resampler(fine, target)(image), Resampler(fine, target, "bilinear")(image)
    exact = cv2.remap(
        cv2.blur(image, (2, 2), anchor=(0, 0)),  # the mean of pixels u and u + 1, at u
        *np.meshgrid(np.float32(3.3 + 2 * np.arange(295)), np.float32(2.6 + 2 * np.arange(195))),
        cv2.INTER_LINEAR,
    )
    rms = [float(np.sqrt(((a - exact) ** 2).mean())) for a in (area, single)]
    assert rms[0] < 0.45 * rms[1], rms


@pytest.mark.parametrize("source", [PINHOLE, PINHOLE.cropped(0.4, 0, 310, 188)], ids=["resize", "remap"])
def test_lanczos_filter_does_not_alias(source):
    """A grating above the target's Nyquist frequency comes out flat."""
    grating = (127.5 + 120 * np.cos(0.42 * 2 * np.pi * np.arange(310)))[None] * np.ones((188, 1))
    target = PINHOLE.resized(155, 94)
    small = Resampler(source, target, "lanczos")(grating.astype(np.float32))
    aliased = Resampler(source, target, "bilinear")(grating.astype(np.float32))
    spread = float(small[10:-10, 10:-10].std()), float(aliased[10:-10, 10:-10].std())
    assert spread[0] < 0.15 * spread[1], spread


def test_pixels_that_do_not_see_the_source_are_invalid_and_counted():
    wide = CameraModel.pinhole(400, 300, 180, 180, 199.5, 149.5)
    source = CameraModel.pinhole(200, 150, 180, 180, 99.5, 74.5)  # the middle quarter
    resampler = Resampler(source, wide)
    expected = np.zeros((300, 400), bool)
    expected[75:225, 100:300] = True
    assert np.array_equal(resampler.valid, expected) and resampler.coverage == pytest.approx(0.25)
    image = noise(source)
    ours = resampler(image)
    assert np.array_equal(ours[75:225, 100:300], image) and np.array_equal(ours[0, 100:300], image[0])


def test_pixels_count_as_seen_up_to_the_source_pixels_edges():
    source = CameraModel.pinhole(20, 20, 50, 50, 9.5, 9.5)
    shifted = Resampler(source, source.cropped(0.4, -0.4, 20, 20))
    assert shifted.valid is None
    shifted = Resampler(source, source.cropped(0.6, -0.6, 20, 20))
    assert not shifted.valid[:, -1].any() and not shifted.valid[0].any() and shifted.valid[1:, :-1].all()


def test_a_distortion_that_folds_back_shows_no_ghosts():
    """OpenCV shows the image again, mirrored, beyond the radius where a model with k1 < 0 folds back."""
    K = np.array([[200.0, 0, 150], [0, 200, 100], [0, 0, 1]])
    source = CameraModel(300, 200, K=K, D=[-0.33, 0, 0, 0, 0])
    target = CameraModel.pinhole(1200, 800, 200, 200, 599.5, 399.5)
    resampler = Resampler(source, target)
    radius = np.hypot(*np.moveaxis(target.ray_grid()[..., :2], -1, 0))
    beyond = radius > domain_radius("plumb_bob", source.D)
    assert beyond.any() and not resampler.valid[beyond].any()
    x, y = cv2.initUndistortRectifyMap(source.K, source.D, np.eye(3), target.K, (1200, 800), cv2.CV_32FC1)
    ghosts = beyond & (x >= 0) & (x <= 299) & (y >= 0) & (y <= 199)
    assert ghosts.sum() > 1000, "this camera was meant to have ghosts"


def test_rays_beside_and_behind_a_fisheye_are_invalid():
    fisheye = camera("equidistant", [1e-9, 0, 0, 0], 90, turn=(0, np.radians(60), 0))
    target = CameraModel.pinhole(400, 300, 100, 100, 199.5, 149.5)  # sees 63 degrees to each side
    resampler = Resampler(fisheye, target)
    depth_axis = target.ray_grid() @ fisheye.R[:, 2]
    behind = depth_axis <= 0
    assert behind.any() and not resampler.valid[behind].any() and resampler.valid[depth_axis > 0.3].all()
    assert np.isfinite(resampler(noise(fisheye, dtype=np.float32))).all()


def test_a_target_that_sees_nothing_of_the_source_still_gives_an_image():
    source = CameraModel(100, 80, PINHOLE.K, R=rotation(0, np.pi, 0))
    resampler = Resampler(source, PINHOLE)
    assert resampler.coverage == 0.0 and resampler(noise(source)).shape == (188, 310, 3)


def test_nan_in_a_float_image_does_not_spread():
    image = noise(DISTORTED["plumb_bob"], dtype=np.float32)
    image[120, 160] = np.nan
    ours = Resampler(DISTORTED["plumb_bob"], DISTORTED["plumb_bob"].rectified())(image)
    spoilt = np.isnan(ours).any(axis=-1)
    assert 1 <= spoilt.sum() <= 9, spoilt.sum()


def test_read_only_and_padded_images_are_accepted():
    source = DISTORTED["plumb_bob"]
    padded = np.zeros((source.height, source.width + 7, 3), np.uint8)
    padded[:, : source.width] = noise(source)
    padded.setflags(write=False)
    for target in (source.rectified().resized(160, 120), source.rectified()):
        resampler = Resampler(source, target)
        assert np.array_equal(resampler(padded[:, : source.width]), resampler(noise(source)))


def test_tables_are_made_once_per_pair_of_cameras():
    source = DISTORTED["plumb_bob"]
    wide = CameraModel.pinhole(320, 240, 100, 100, 160, 120)
    first = Resampler(source, wide)
    same = CameraModel(320, 240, source.K, source.D, "plumb_bob", source.R)
    again = Resampler(same, wide.cropped(0, 0, 320, 240))
    assert first.valid is not None and again.valid is first.valid
    assert Resampler(source, wide.resized(319, 240)).valid is not first.valid


def test_a_four_times_finer_source_loses_no_field_of_view():
    """The integer pre-shrink works on whole blocks; the result must still lie at the right place."""
    source = CameraModel.pinhole(1247, 933, 800, 800, 620, 470)
    u = np.arange(1247, dtype=np.float32)[None] * np.ones((933, 1), np.float32)
    target = source.cropped(0.45, 0.3, 1246, 932).resized(137, 103)
    ours = Resampler(source, target)(u)
    expected = (np.arange(137) + 0.5) * (1246 / 137) - 0.5 + 0.45
    error = np.abs(ours[:, 1:-1] - expected[1:-1]).max()
    assert error < 0.1, f"{error} source pixels, {error / 9.1:.3f} target pixels"


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: Resampler(PINHOLE, PINHOLE, "cubic"), "cubic"),
        (lambda: Resampler(PINHOLE, DISTORTED["plumb_bob"]), "plumb_bob"),
        (lambda: Resampler(PINHOLE, CameraModel(10, 10, np.zeros((3, 3)))), "target camera is uncalibrated"),
        (lambda: Resampler(CameraModel(10, 10, np.zeros((3, 3))), PINHOLE), "source camera is uncalibrated"),
        (lambda: Resampler(PINHOLE, PINHOLE)(np.zeros((188, 310), np.uint16)), "uint16"),
    ],
)
def test_wrong_arguments_are_refused(make, words):
    with pytest.raises(MonodepthError) as caught:
        make()
    assert words in str(caught.value) and "\n" not in str(caught.value), caught.value


def test_an_image_whose_size_differs_from_its_calibration_is_refused():
    with pytest.raises(CalibrationError) as caught:
        Resampler(PINHOLE, PINHOLE.resized(64, 32))(np.zeros((190, 310, 3), np.uint8))
    assert "(190, 310, 3)" in str(caught.value) and "310x188" in str(caught.value)
