# SPDX-License-Identifier: Apache-2.0
"""CameraModel: agreement with OpenCV over whole images, pixel convention of resized images, wrong input."""

import dataclasses
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from monodepth_ros.geometry.camera import CalibrationError, CameraModel


def rotation(x, y, z):
    return cv2.Rodrigues(np.array([x, y, z], dtype=np.float64))[0]


def camera(model, D, fx=0.8, new_fx=0.55, size=(320, 200), baseline=0.12, turn=(0.02, -0.05, 0.03)):
    """A camera whose R is not the identity and whose P differs from K."""
    width, height = size
    f, g = fx * width, new_fx * width
    K = np.array([[f, 0, 0.51 * width], [0, 1.01 * f, 0.47 * height], [0, 0, 1]])
    P = np.array([[g, 0, 0.49 * width, -g * baseline], [0, g, 0.52 * height, 0], [0, 0, 1, 0]])
    return CameraModel(width, height, K=K, D=D, distortion_model=model, R=rotation(*turn), P=P)


DISTORTED = {
    "plumb_bob": camera("plumb_bob", [-0.30, 0.11, 1.2e-3, -9e-4, -0.02]),
    "rational_polynomial": camera("rational_polynomial", [6.2, 3.1, 3e-4, -2e-4, 0.12, 6.5, 5.1, 0.8]),
    "equidistant": camera("equidistant", [-0.02, 0.003, -0.002, 0.0004], fx=0.45),
    "thin_prism_and_tilt": camera(
        "rational_polynomial", [-0.3, 0.1, 1e-3, -9e-4, 0, 0, 0, 0, 1e-3, 2e-3, 0, 0, 0.02, 0.03]
    ),
}
each_camera = pytest.mark.parametrize("cam", DISTORTED.values(), ids=DISTORTED)
PINHOLE = CameraModel.pinhole(320, 200, 180.0, 182.0, 158.5, 97.25)


def pixel_grid(cam):
    return np.stack(np.meshgrid(np.arange(cam.width), np.arange(cam.height)), axis=-1).astype(np.float64)


def camera_info(cam, **changes):
    fields = dict(
        width=cam.width,
        height=cam.height,
        distortion_model=cam.distortion_model,
        d=cam.D.tolist(),
        k=cam.K.ravel(),
        r=cam.R.ravel(),
        p=cam.P.ravel(),
        binning_x=0,
        binning_y=0,
        roi=roi(0, 0, 0, 0),
    )
    return SimpleNamespace(**{**fields, **changes})


def roi(x, y, width, height):
    return SimpleNamespace(x_offset=x, y_offset=y, width=width, height=height, do_rectify=False)


@each_camera
def test_projection_equals_opencvs(cam):
    depth = np.linspace(0.5, 80, cam.width)[None] * np.ones((cam.height, 1))
    points = cam.backproject(pixel_grid(cam), depth)
    project = cv2.fisheye.projectPoints if cam.distortion_model == "equidistant" else cv2.projectPoints
    expected, _ = project(points.reshape(-1, 1, 3), np.zeros(3), np.zeros(3), cam.K, cam.D)
    error = np.abs(cam.project(points).reshape(-1, 2) - expected.reshape(-1, 2)).max()
    assert error < 1e-9, f"{error} px"


@each_camera
def test_rectification_map_equals_opencvs(cam):
    """Target pixel to source pixel with R and P, as in initUndistortRectifyMap."""
    init = (cv2.fisheye if cam.distortion_model == "equidistant" else cv2).initUndistortRectifyMap
    x, y = init(cam.K, cam.D, cam.R, cam.P[:, :3], (cam.width, cam.height), cv2.CV_32FC1)
    rays = cam.rectified().backproject(pixel_grid(cam), np.ones((cam.height, cam.width)))
    ours = cam.project(rays @ cam.R)
    error = np.abs(ours - np.stack([x, y], axis=-1)).max()
    assert np.isfinite(ours).all() and error < 1e-4, f"{error} px"  # OpenCV's map is float32


@pytest.mark.parametrize("model", DISTORTED)
def test_a_skew_shifts_pixels_along_the_row_as_opencvs_alpha_does(model):
    cam = skewed(DISTORTED[model])
    points = cam.backproject(pixel_grid(cam), np.full((cam.height, cam.width), 3.0))
    if model == "equidistant":
        arguments = (points.reshape(-1, 1, 3), np.zeros(3), np.zeros(3), cam.K, cam.D)
        expected, _ = cv2.fisheye.projectPoints(*arguments, alpha=cam.skew / cam.fx)
    else:
        normalised, _ = cv2.projectPoints(points.reshape(-1, 1, 3), np.zeros(3), np.zeros(3), np.eye(3), cam.D)
        expected = cv2.perspectiveTransform(normalised, cam.K)
    error = np.abs(cam.project(points).reshape(-1, 2) - expected.reshape(-1, 2)).max()
    shift = np.abs(cam.project(points) - DISTORTED[model].project(points)).max()
    assert error < 1e-9 and shift > 1, f"{error} px, shifted by {shift} px"


def test_the_rectified_image_of_a_camera_with_skew_has_rectangular_pixels():
    K = np.array([[95.0, -1.71, 127.5], [0, 95.6, 79.5], [0, 0, 1]])
    P = np.hstack([K, np.zeros((3, 1))])
    cam = CameraModel(256, 160, K=K, D=[0.0284, -0.0165, 0.0128, -0.0043], distortion_model="equidistant", P=P)
    assert cam.skew == -1.71 and cam.P[0, 1] == 0 and cam.is_distorted and not cam.is_rectified
    assert CameraModel(256, 160, K=K, D=cam.D, distortion_model="equidistant").key == cam.key  # P stated or not
    straight = CameraModel(256, 160, K=K)
    assert straight.is_distorted and not straight.is_rectified and straight.rectified().is_rectified
    with pytest.raises(CalibrationError, match="rectify it first"):
        straight.ray_grid()


def test_a_skew_is_kept_by_resizing_and_cropping():
    cam = skewed(PINHOLE)
    points = np.random.default_rng(2).uniform((-1, -1, 2), (1, 1, 4), (50, 3))
    pixels = cam.project(points)
    assert np.allclose(cam.resized(160, 400).project(points), (pixels + 0.5) * (0.5, 2) - 0.5, atol=1e-9)
    assert np.allclose(cam.cropped(7, 9, 100, 100).project(points), pixels - (7, 9), atol=1e-9)


@pytest.mark.parametrize("name", ["fov", "double_sphere", "eucm", "omnidirectional"])
def test_without_p_the_rectified_image_has_the_focal_length_of_the_centre(name):
    cam = WIDE[name]
    alone = CameraModel(cam.width, cam.height, K=cam.K, D=cam.D, distortion_model=cam.distortion_model)
    ray = np.array([[1e-6, 1e-6, 1.0], [0, 0, 1]])
    here, there = (np.diff(model.project(ray), axis=0) for model in (alone, alone.rectified()))
    assert here == pytest.approx(there, rel=1e-4)


@each_camera
def test_undistorted_points_equal_opencvs(cam):
    """Source pixel to rectified pixel with R and P, as in undistortPoints."""
    pixels = pixel_grid(cam)
    rays = cam.backproject(pixels, np.ones(pixels.shape[:2]))
    ours = cam.rectified().project(rays @ cam.R.T)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 200, 1e-13)
    points = pixels.reshape(-1, 1, 2)
    if cam.distortion_model == "equidistant":
        theirs = cv2.fisheye.undistortPoints(points, cam.K, cam.D, R=cam.R, P=cam.P[:, :3], criteria=criteria)
    else:
        undistort = getattr(cv2, "undistortPointsIter", cv2.undistortPoints)  # OpenCV 4's name with criteria
        theirs = undistort(points, cam.K, cam.D, R=cam.R, P=cam.P[:, :3], criteria=criteria)
    error = np.abs(ours - theirs.reshape(pixels.shape)).max()
    assert np.isfinite(ours).all() and error < 1e-6, f"{error} px"


def skewed(cam, skew=-3.5):
    K = cam.K.copy()
    K[0, 1] = skew
    return dataclasses.replace(cam, K=K)


WIDE = {
    "fov": camera("fov", [0.9], fx=0.6),
    "double_sphere": camera("double_sphere", [-0.2, 0.57], fx=0.3),
    "eucm": camera("eucm", [0.6, 1.1], fx=0.4),
    "omnidirectional": camera("omnidirectional", [1.4, -0.1, 0.02, 1e-3, -1e-3], fx=1.2),
    "skew": skewed(DISTORTED["plumb_bob"]),
    "fisheye_with_skew": skewed(DISTORTED["equidistant"]),
}
every_camera = pytest.mark.parametrize("cam", (DISTORTED | WIDE).values(), ids=DISTORTED | WIDE)


@every_camera
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_projecting_a_backprojected_pixel_returns_it(cam, library):
    pixels, depth = pixel_grid(cam), np.random.default_rng(0).uniform(0.1, 100, (cam.height, cam.width))
    if library == "torch":
        pixels, depth = torch.from_numpy(pixels), torch.from_numpy(depth)
    points = cam.backproject(pixels, depth)
    back = cam.project(points)
    assert type(points) is type(back) is type(pixels)
    error = float(abs(back - pixels).max())
    assert bool((points[..., 2] == depth).all()) and error < 1e-9, f"{error} px"


@every_camera
def test_float32_keeps_its_type_and_a_hundredth_of_a_pixel(cam):
    pixels = pixel_grid(cam).astype(np.float32)
    points = cam.backproject(pixels, np.full(pixels.shape[:2], 7, np.float32))
    back = cam.project(points)
    error = np.abs(back - pixels).max()
    assert points.dtype == back.dtype == np.float32 and error < 0.01, f"{error} px"


@every_camera
def test_gradients_through_projection_and_backprojection(cam):
    pixels = torch.tensor([[100.0, 60.0], [201.5, 150.25]], dtype=torch.float64, requires_grad=True)
    depth = torch.tensor([2.0, 9.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(cam.backproject, (pixels, depth))
    assert torch.autograd.gradcheck(cam.project, cam.backproject(pixels, depth).detach().requires_grad_())


@pytest.mark.parametrize("cam", [*DISTORTED.values(), PINHOLE], ids=[*DISTORTED, "pinhole"])
def test_points_behind_the_camera_project_to_nan_without_spoiling_gradients(cam):
    points = torch.tensor([[0.1, 0.2, -1.0], [0.1, 0.2, 0.0], [0.1, 0.2, 1.0]], requires_grad=True)
    pixels = cam.project(points)
    pixels[2].sum().backward()
    assert torch.isnan(pixels[:2]).all() and torch.isfinite(pixels[2]).all()
    assert torch.isfinite(points.grad).all()


def test_ray_grid_is_backprojection_at_depth_one_and_cached():
    rays = PINHOLE.ray_grid()
    expected = PINHOLE.backproject(pixel_grid(PINHOLE), np.ones((200, 320)))
    assert rays.shape == (200, 320, 3) and rays.dtype == np.float32 and np.abs(rays - expected).max() < 1e-6
    again = CameraModel.pinhole(320, 200, 180.0, 182.0, 158.5, 97.25).ray_grid()
    assert again is rays and not rays.flags.writeable


def ramp(cam):
    """An image (H, W, 2) float32 whose pixels hold their own x and y."""
    return pixel_grid(cam).astype(np.float32)


def sample(image, pixels):
    x, y = (np.ascontiguousarray(pixels[..., i], np.float32) for i in (0, 1))
    return cv2.remap(image, x, y, cv2.INTER_LINEAR)


def assert_shows_the_same_world(cam, changed, image, tolerance=0.02):
    """Check that the changed image of the ramp shows each point's pixel in the original image."""
    assert image.shape[:2] == (changed.height, changed.width)
    rng = np.random.default_rng(1)
    seen = rng.uniform([2, 2], [changed.width - 3, changed.height - 3], (300, 2))
    points = changed.backproject(seen, rng.uniform(1, 50, 300))
    shown = sample(image, seen[None])[0]
    error = np.abs(shown - cam.project(points)).max()
    assert error < tolerance * max(1.0, cam.width / changed.width), f"{error} px of the original"


@pytest.mark.parametrize("size", [(160, 100), (80, 100), (64, 40), (320, 200)])
def test_resized_camera_fits_an_image_resized_by_area(size):
    image = cv2.resize(ramp(PINHOLE), size, interpolation=cv2.INTER_AREA)
    assert_shows_the_same_world(PINHOLE, PINHOLE.resized(*size), image)


def test_enlarged_camera_fits_an_image_enlarged_linearly():
    image = cv2.resize(ramp(PINHOLE), (640, 600), interpolation=cv2.INTER_LINEAR)
    assert_shows_the_same_world(PINHOLE, PINHOLE.resized(640, 600), image)


def test_cropped_camera_fits_a_cropped_image():
    assert_shows_the_same_world(PINHOLE, PINHOLE.cropped(30, 20, 200, 150), ramp(PINHOLE)[20:170, 30:230])


def test_flipped_camera_fits_a_mirrored_image_of_a_mirrored_world():
    flipped = PINHOLE.flipped()
    points = np.random.default_rng(2).uniform([-1, -1, 2], [1, 1, 9], (100, 3))
    pixels, mirrored = PINHOLE.project(points), flipped.project(points * [-1, 1, 1])
    assert np.abs(mirrored - [319, 0] - pixels * [-1, 1]).max() < 1e-9
    fx, fy, cx, cy = PINHOLE.normalized
    assert flipped.normalized == pytest.approx((fx, fy, 1 - cx, cy))
    assert flipped.flipped().key == PINHOLE.key


def test_flipping_exchanges_the_sides_of_a_stereo_pair():
    right = DISTORTED["plumb_bob"].rectified()
    assert right.baseline == pytest.approx(0.12)
    assert right.flipped().baseline == pytest.approx(-0.12)


@pytest.mark.parametrize("bx, by", [(2, 2), (4, 2), (3, 5)])
def test_binning_and_roi_describe_the_published_image(bx, by):
    x, y, width, height = 24, 10, 240, 150
    binned = CameraModel.from_camera_info(
        camera_info(PINHOLE, binning_x=bx, binning_y=by, roi=roi(x, y, width, height))
    )
    window = ramp(PINHOLE)[y : y + height, x : x + width]
    image = window.reshape(height // by, by, width // bx, bx, 2).mean(axis=(1, 3))  # what the sensor does
    assert_shows_the_same_world(PINHOLE, binned, image)


def test_binning_scales_the_baseline_with_the_focal_length():
    stereo = DISTORTED["plumb_bob"]
    binned = CameraModel.from_camera_info(camera_info(stereo, binning_x=2, binning_y=2))
    assert (binned.width, binned.height) == (160, 100)
    assert binned.baseline == pytest.approx(stereo.baseline) and binned.P[0, 0] == stereo.P[0, 0] / 2


@each_camera
def test_resizing_and_cropping_keep_the_distortion_of_a_camera(cam):
    small = cam.resized(160, 100).cropped(10, 5, 120, 80)
    rays = cam.backproject(np.array([[200.0, 120.0]]), np.array([1.0]))
    expected = (cam.project(rays) + 0.5) / 2 - 0.5 - [10, 5]
    assert np.abs(small.project(rays) - expected).max() < 1e-9


def test_normalised_intrinsics_survive_a_resize_and_make_the_camera_again():
    assert PINHOLE.resized(96, 480).normalized == pytest.approx(PINHOLE.normalized, abs=1e-15)
    again = CameraModel.from_normalized(320, 200, PINHOLE.normalized)
    assert np.abs(again.K - PINHOLE.K).max() < 1e-12


def test_rectified_model_is_a_pinhole_that_keeps_the_baseline():
    cam = DISTORTED["equidistant"]
    rectified = cam.rectified()
    assert cam.is_distorted and not cam.is_rectified
    assert rectified.is_rectified and not rectified.is_distorted
    assert np.array_equal(rectified.K, cam.P[:, :3]) and np.array_equal(rectified.P, cam.P)
    assert rectified.baseline == pytest.approx(0.12)


def test_an_undistorted_camera_with_another_rotation_or_projection_is_not_rectified():
    assert PINHOLE.is_rectified
    assert not CameraModel(320, 200, PINHOLE.K, R=rotation(0, 0.01, 0)).is_rectified
    assert not CameraModel(320, 200, PINHOLE.K, P=PINHOLE.resized(330, 200).P).is_rectified


def test_zero_rectification_and_projection_mean_identity_and_intrinsics():
    info = camera_info(PINHOLE, r=np.zeros(9), p=np.zeros(12), d=[], distortion_model="")
    cam = CameraModel.from_camera_info(info)
    assert cam.is_rectified and cam.key == PINHOLE.key and cam.baseline == 0


def test_ros_1_and_ros_2_field_names_give_the_same_camera():
    cam = DISTORTED["rational_polynomial"]
    new = camera_info(cam)
    old = SimpleNamespace(
        width=cam.width,
        height=cam.height,
        distortion_model=cam.distortion_model,
        D=cam.D,
        K=cam.K.ravel(),
        R=cam.R.ravel(),
        P=cam.P.ravel(),
        binning_x=1,
        binning_y=1,
        roi=roi(0, 0, 0, 0),
    )
    assert CameraModel.from_camera_info(new).key == CameraModel.from_camera_info(old).key == cam.key


def test_keys_are_equal_only_for_equal_models():
    cam = DISTORTED["plumb_bob"]
    same = CameraModel(cam.width, cam.height, cam.K, cam.D, cam.distortion_model, cam.R, cam.P)
    assert same.key == cam.key and hash(same.key) == hash(cam.key)
    assert PINHOLE.key == CameraModel(320, 200, PINHOLE.K, D=[-0.0] * 5).key
    others = [PINHOLE, cam, cam.rectified(), cam.resized(160, 100)]
    others += [cam.cropped(0, 0, 320, 199), cam.cropped(1, 0, 320, 200)]
    assert len({other.key for other in others}) == len(others)


def test_arrays_are_read_only_copies():
    K = np.eye(3) * [100, 100, 1]
    cam = CameraModel(10, 10, K)
    K[0, 0] = 5
    assert cam.fx == 100
    with pytest.raises(ValueError):
        cam.K[0, 0] = 5


def test_an_uncalibrated_camera_has_a_size_and_refuses_to_project():
    cam = CameraModel.from_camera_info(camera_info(PINHOLE, k=np.zeros(9), p=np.zeros(12), r=np.zeros(9)))
    assert not cam.is_calibrated and (cam.resized(32, 20).width, cam.width) == (32, 320)
    for use, arguments in (
        (cam.project, (np.ones(3),)),
        (cam.backproject, (np.ones(2), 1.0)),
        (cam.ray_grid, ()),
        (cam.rectified, ()),
    ):
        with pytest.raises(CalibrationError, match="uncalibrated"):
            use(*arguments)


@pytest.mark.parametrize(
    "changes, words",
    [
        (dict(width=0), "0x200"),
        (dict(height=4_000_000_000), "320x4000000000"),
        (dict(k=np.full(9, np.nan)), "K is"),
        (dict(k=np.ones(8)), "K has 8 numbers, expected 3x3"),
        (dict(p=np.ones(9)), "P has 9 numbers, expected 3x4"),
        (dict(k=np.array([100, 0, 50, 0, 100, 50, 0, 0, 2.0])), "[0.0, 0.0, 2.0]"),
        (dict(k=np.array([100, 0, 0, 0, 100, 0, 50, 50, 1.0])), "expected [[fx, 0, cx]"),
        (dict(k=np.array([100, 30, 50, 0, 100, 50, 0, 0, 1.0])), "skew 30 is more than 10 % of fx"),
        (dict(k=np.array([-100, 0, 50, 0, 100, 50, 0, 0, 1.0])), "above 0"),
        (dict(p=np.array([100.0, 0, 50, 0, 0, 100, 50, 0, 0, 0, 0, 0])), "P is"),
        (dict(r=np.ones(9)), "R is"),
        (dict(r=np.diag([1.0, 1, -1]).ravel()), "R is"),
        (dict(distortion_model="fisheye_of_our_own", d=[0.1] * 5), "fisheye_of_our_own"),
        (dict(d=[0.1] * 3), "3 distortion coefficients"),
        (dict(d=[np.inf] * 5), "finite"),
        (dict(roi=roi(300, 0, 100, 100)), "roi 100x100 at (300, 0)"),
        (dict(roi=roi(0, 0, 3, 3), binning_x=4), "binning 4x1 of a 3x3 image"),
    ],
)
def test_impossible_camera_info_is_refused_in_one_line(changes, words):
    with pytest.raises(CalibrationError) as caught:
        CameraModel.from_camera_info(camera_info(PINHOLE, **changes))
    assert words in str(caught.value) and "\n" not in str(caught.value), caught.value


def test_a_distorted_camera_refuses_operations_for_pinholes():
    for use in (DISTORTED["plumb_bob"].flipped, DISTORTED["plumb_bob"].ray_grid):
        with pytest.raises(CalibrationError, match="rectify it first"):
            use()
