# SPDX-License-Identifier: Apache-2.0
"""Distortion models: agreement with OpenCV and with their own inverse, inside and outside their domain."""

import cv2
import numpy as np
import pytest
import torch

from monodepth_ros.geometry.lenses.distortion import (
    CalibrationError,
    central_gain,
    check_distortion,
    distort,
    domain_radius,
    is_pinhole,
    undistort,
)

MODELS = {
    "kitti": ("plumb_bob", [-0.37, 0.19, 1.2e-3, -9e-4, -0.05]),
    "euroc": ("plumb_bob", [-0.2834, 0.0740, 1.9e-4, 1.8e-5]),
    "pincushion": ("plumb_bob", [0.25, -0.08, -2e-3, 1e-3, 0.02]),
    "tangential": ("plumb_bob", [-0.1, 0.02, 2e-2, -3e-2, 0.0]),
    "kinect": ("rational_polynomial", [6.2, 3.1, 3e-4, -2e-4, 0.12, 6.5, 5.1, 0.8]),
    "wide": ("rational_polynomial", [0.8, -0.6, 1e-3, 5e-4, 0.03, 1.2, -0.4, 0.01]),
    "fisheye": ("equidistant", [-0.02, 0.003, -0.002, 0.0004]),
    "ideal_fisheye": ("equidistant", [1e-15, 0.0, 0.0, 0.0]),
    "thin_prism": ("plumb_bob", [-0.2, 0.05, 1e-3, -2e-3, 0.01, 0, 0, 0, 4e-3, -1e-3, -3e-3, 2e-3]),
    "tilted": ("rational_polynomial", [0.8, -0.6, 1e-3, 5e-4, 0.03, 1.2, -0.4, 0.01, 1e-3, 0, 0, 2e-3, 0.03, -0.05]),
    "fov": ("fov", [0.93]),
    "double_sphere": ("double_sphere", [-0.2, 0.57]),
    "double_sphere_narrow": ("double_sphere", [-0.6, 0.1]),
    "eucm": ("eucm", [0.61, 1.05]),
    "omnidirectional": ("omnidirectional", [1.7, -0.24, 0.53, 8e-4, -6e-4]),
    "mirror": ("omnidirectional", [0.97]),
}
IN_OPENCV = {
    name: model for name, model in MODELS.items() if model[0] in ("plumb_bob", "rational_polynomial", "equidistant")
}
each_model = pytest.mark.parametrize("model, coefficients", MODELS.values(), ids=MODELS)


def disc(radius, count=60):
    """Points (N, 2) on rings up to the radius, with the centre."""
    r, angle = np.meshgrid(np.linspace(0, radius, count), np.linspace(0, 2 * np.pi, 72, endpoint=False))
    return np.stack([r * np.cos(angle), r * np.sin(angle)], axis=-1).reshape(-1, 2)


def domain(model, D, share=0.97):
    """Ideal points that fill the model's domain, up to 80 degrees off the axis if it is unlimited."""
    points = disc(share * min(domain_radius(model, D), np.tan(np.radians(80))))
    return points[np.isfinite(distort(points, model, D)).all(axis=-1)]


def opencv_distort(points, model, D):
    rays = np.column_stack([points, np.ones(len(points))]).reshape(-1, 1, 3)
    project = cv2.fisheye.projectPoints if model == "equidistant" else cv2.projectPoints
    pixels, _ = project(rays, np.zeros(3), np.zeros(3), np.eye(3), D)
    return pixels.reshape(-1, 2)


@pytest.mark.parametrize("model, coefficients", IN_OPENCV.values(), ids=IN_OPENCV)
def test_forward_model_equals_opencvs(model, coefficients):
    model, D = check_distortion(model, coefficients)
    points = domain(model, D)
    error = np.abs(distort(points, model, D) - opencv_distort(points, model, D)).max()
    assert len(points) > 2000 and error < 1e-12, f"{error} over {len(points)} points"


# The papers' equations for points in space: Usenko 2018 (eq. 40), Khomutenko 2016, Mei 2007, Devernay 2001.
def double_sphere(x, y, z, xi, alpha):
    d1 = np.sqrt(x * x + y * y + z * z)
    d2 = np.sqrt(x * x + y * y + (xi * d1 + z) ** 2)
    return np.stack([x, y]) / (alpha * d2 + (1 - alpha) * (xi * d1 + z))


def eucm(x, y, z, alpha, beta):
    return np.stack([x, y]) / (alpha * np.sqrt(beta * (x * x + y * y) + z * z) + (1 - alpha) * z)


def omnidirectional(x, y, z, xi, k1=0.0, k2=0.0, p1=0.0, p2=0.0):
    norm = np.sqrt(x * x + y * y + z * z)
    m = np.stack([x, y]) / (z + xi * norm)
    return opencv_distort(m.T, "plumb_bob", np.array([k1, k2, p1, p2, 0.0])).T


def field_of_view(x, y, z, w):
    radius = np.hypot(x, y) / z
    return np.stack([x, y]) / z * np.arctan(2 * radius * np.tan(w / 2)) / (w * radius)


@pytest.mark.parametrize(
    "equations, model, coefficients",
    [
        (double_sphere, *MODELS["double_sphere"]),
        (eucm, *MODELS["eucm"]),
        (omnidirectional, *MODELS["omnidirectional"]),
        (field_of_view, *MODELS["fov"]),
    ],
    ids=["double_sphere", "eucm", "omnidirectional", "fov"],
)
def test_wide_lenses_follow_their_papers(equations, model, coefficients):
    model, D = check_distortion(model, coefficients)
    points = domain(model, D)
    points = points[np.hypot(*points.T) > 1e-6]
    z = 3.7
    expected = equations(points[:, 0] * z, points[:, 1] * z, z, *coefficients).T
    error = np.abs(distort(points, model, D) - expected).max()
    assert len(points) > 2000 and error < 1e-12, f"{error} over {len(points)} points"


@each_model
def test_gain_on_the_axis_is_the_slope_of_the_model(model, coefficients):
    model, D = check_distortion(model, coefficients)
    slope = distort(np.array([[1e-7, 0.0], [0.0, 1e-7]]), model, D) - distort(np.zeros((1, 2)), model, D)
    assert np.diag(slope) * 1e7 == pytest.approx([central_gain(model, D)] * 2, rel=0.06)  # 6 %: the tilted sensor


@each_model
def test_inverse_returns_the_ideal_point(model, coefficients):
    model, D = check_distortion(model, coefficients)
    points = domain(model, D, share=0.95)
    back = undistort(distort(points, model, D), model, D)
    error = np.abs(back - points).max()
    assert error < 1e-9, f"{error} over {len(points)} points up to radius {np.abs(points).max():.2f}"


@each_model
def test_float32_stays_float32_and_integers_become_float64(model, coefficients):
    model, D = check_distortion(model, coefficients)
    points = disc(0.9 * min(1.0, domain_radius(model, D)))
    single = distort(points.astype(np.float32), model, D)
    back = undistort(single, model, D)
    assert single.dtype == back.dtype == np.float32
    assert distort(np.zeros((1, 2), int), model, D).dtype == np.float64
    error = np.abs(single - distort(points, model, D)).max()
    assert error < 1e-5, error


@each_model
def test_torch_agrees_with_numpy(model, coefficients):
    model, D = check_distortion(model, coefficients)
    points = domain(model, D)
    bent = distort(points, model, D)
    assert np.abs(distort(torch.from_numpy(points), model, D).numpy() - bent).max() < 1e-13
    assert np.abs(undistort(torch.from_numpy(bent), model, D).numpy() - undistort(bent, model, D)).max() == 0


@each_model
def test_gradients_of_both_directions_are_right(model, coefficients):
    model, D = check_distortion(model, coefficients)
    points = torch.tensor([[0.3, -0.2], [-0.05, 0.4], [0.11, 0.12]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda p: distort(p, model, D), points)
    assert torch.autograd.gradcheck(lambda p: undistort(p, model, D), points)


def test_gradient_is_finite_on_the_axis_and_next_to_points_without_solution():
    model, D = check_distortion("equidistant", [-0.02, 0.003, -0.002, 0.0004])
    points = torch.tensor([[0.0, 0.0], [0.2, 0.1], [5.0, 5.0]], dtype=torch.float64, requires_grad=True)
    ideal = undistort(points, model, D)
    ideal[:2].sum().backward()
    assert torch.isnan(ideal[2]).all() and torch.isfinite(points.grad).all(), points.grad
    points.grad = None
    distort(points, model, D).sum().backward()
    assert torch.isfinite(points.grad).all(), points.grad


def test_a_profile_that_folds_back_ends_at_its_extremum():
    D = check_distortion("plumb_bob", [-0.33, 0, 0, 0])[1]
    radius = domain_radius("plumb_bob", D)
    assert radius == pytest.approx(1 / np.sqrt(3 * 0.33), abs=1e-12)
    inside, outside = np.array([[0.999 * radius, 0.0]]), disc(3 * radius)
    outside = outside[np.hypot(*outside.T) > radius]
    assert np.isfinite(distort(inside, "plumb_bob", D)).all()
    assert np.isnan(distort(outside, "plumb_bob", D)).all()
    folded = opencv_distort(outside, "plumb_bob", D)
    back = undistort(folded, "plumb_bob", D)
    found = np.isfinite(back[:, 0])  # points that fold onto the image have their true ray inside the domain
    assert found.any() and (np.hypot(*back[found].T) <= radius).all()


def test_distorted_points_beyond_the_reach_of_the_model_have_no_solution():
    model, D = check_distortion("plumb_bob", [-0.33, 0.0, 1e-3, 1e-3])
    radius = domain_radius(model, D)
    reach = radius * (1 - 0.33 * radius**2)
    far = disc(4 * reach)
    far = far[np.hypot(*far.T) > 1.05 * reach]
    assert np.isnan(undistort(far, model, D)).all()
    model, D = check_distortion("equidistant", [1e-15, 0, 0, 0])
    assert np.isnan(undistort(np.array([[np.pi / 2 + 0.01, 0.0]]), model, D)).all()
    assert np.isfinite(undistort(np.array([[np.pi / 2 - 0.01, 0.0]]), model, D)).all()


def test_a_pole_of_the_rational_model_ends_its_domain():
    model, D = check_distortion("rational_polynomial", [0, 0, 0, 0, 0, -0.25, 0, 0])
    assert domain_radius(model, D) == pytest.approx(2.0)
    points = disc(1.98)
    assert np.abs(undistort(distort(points, model, D), model, D) - points).max() < 1e-9
    assert np.isnan(distort(np.array([[2.01, 0.0]]), model, D)).all()


def test_strong_tangential_terms_end_the_domain():
    model, D = check_distortion("plumb_bob", [0, 0, 0, 0.1, 0])  # x + 0.3 x^2 folds at -5/3
    assert domain_radius(model, D) == np.inf
    x = np.array([[-1.6, 0.0], [-1.7, 0.0], [-8.0, 0.0]])
    assert np.isfinite(distort(x, model, D)).all(axis=1).tolist() == [True, False, False]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@each_model
def test_numbers_that_are_not_finite_give_nan(model, coefficients, bad):
    model, D = check_distortion(model, coefficients)
    points = np.array([[bad, 0.1], [0.1, bad]])
    assert np.isnan(distort(points, model, D)).all() and np.isnan(undistort(points, model, D)).all()


@pytest.mark.parametrize("model", ["", "none", "plumb_bob", "equidistant", "Kannala Brandt4", "of our own make"])
@pytest.mark.parametrize("coefficients", [[], [0] * 4, [0] * 5, [-0.0] * 12])
def test_coefficients_that_are_all_zero_mean_a_pinhole_whatever_the_name(model, coefficients):
    model, D = check_distortion(model, coefficients)
    points = np.array([[0.4, -3.0]])
    assert model == "plumb_bob" and D.tolist() == [0] * 5 and is_pinhole(model, D)
    assert distort(points, model, D).tolist() == undistort(points, model, D).tolist() == points.tolist()


@pytest.mark.parametrize(
    "name", ["fisheye", "Fisheye", "kannala_brandt", "Kannala Brandt4", "KANNALA_BRANDT", "kb4", "equi"]
)
def test_names_of_the_fisheye_model(name):
    model, D = check_distortion(name, [-0.009, 0.046, -0.043, 0.008])
    assert (model, D.tolist()) == ("equidistant", [-0.009, 0.046, -0.043, 0.008])


@pytest.mark.parametrize(
    "name",
    [
        "radtan",
        "radial-tangential",
        "brown_conrady",
        "Brown Conrady",
        "Inverse Brown Conrady",
        "inverse_brown_conrady",
        "Modified Brown Conrady",
        "PLUMB_BOB",
        "perspective",
        "distortion.brown_conrady",
        "RS2_DISTORTION_INVERSE_BROWN_CONRADY",
    ],
)
def test_names_of_opencvs_model(name):
    assert check_distortion(name, [0.1, 0.2, 0.3, 0.4])[0] == "plumb_bob"
    assert check_distortion(name, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0, 0])[0] == "rational_polynomial"


@pytest.mark.parametrize(
    "name, given, model, expected",
    [
        ("plumb_bob", [1, 2, 3, 4], "plumb_bob", [1, 2, 3, 4, 0]),
        ("plumb_bob", [1, 2, 3, 4, 5, 0, 0, 0], "plumb_bob", [1, 2, 3, 4, 5]),
        ("plumb_bob", [1, 2, 3, 4, 5, 6, 7, 8], "rational_polynomial", [1, 2, 3, 4, 5, 6, 7, 8]),
        ("plumb_bob", [1, 2, 3, 4, 0, 0], "plumb_bob", [1, 2, 3, 4, 0]),
        ("rational_polynomial", [1, 2, 3, 4, 5], "rational_polynomial", [1, 2, 3, 4, 5, 0, 0, 0]),
        ("rational_polynomial", [1, 2, 3, 4, 5, 6, 7, 8] + [0] * 6, "rational_polynomial", [1, 2, 3, 4, 5, 6, 7, 8]),
        ("plumb_bob", [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9], "rational_polynomial", [1, *[0] * 10, 9]),
        ("rational_polynomial", [1] * 8 + [0] * 5 + [0.1], "rational_polynomial", [1] * 8 + [0] * 5 + [0.1]),
        ("equidistant", [1, 2, 3, 4, 0, 0, 0, 0], "equidistant", [1, 2, 3, 4]),
        ("fisheye", [1, 2], "equidistant", [1, 2, 0, 0]),
        ("F-Theta", [0.9, 0, 0, 0, 0], "fov", [0.9]),
        ("omni", [1.2], "omnidirectional", [1.2, 0, 0, 0, 0]),
        ("ds", [0, 0.5], "double_sphere", [0, 0.5]),
    ],
)
def test_coefficients_are_brought_to_the_length_of_the_model_that_they_are(name, given, model, expected):
    found, D = check_distortion(name, given)
    assert (found, D.tolist()) == (model, expected)
    assert check_distortion(found, D)[0] == model and check_distortion(found, D)[1].tolist() == expected


@pytest.mark.parametrize(
    "model, coefficients, words",
    [
        ("fisheye624", [0.1] * 5, "'fisheye624', expected one of plumb_bob, "),
        ("", [0.1] * 5, "empty"),
        ("none", [0.1] * 5, "'none' but its coefficients"),
        ("plumb_bob", [0.1] * 7, "7 distortion coefficients, expected 4 or 5 or 8"),
        ("plumb_bob", [0.1] * 3, "3 distortion coefficients, expected 4 or 5 or 8"),
        ("equidistant", [0.1] * 5, "5 distortion coefficients, expected 4"),
        ("plumb_bob", [np.nan] * 5, "finite"),
        ("F-Theta", [0.1] * 5, "F-Theta has 5 distortion coefficients, expected 1"),
        ("fov", [-0.9], "expected w above 0"),
        ("ds", [-1.2, 0.5], "expected xi above -1"),
        ("eucm", [0.5, -1.0], "beta above 0"),
    ],
)
def test_impossible_coefficients_are_refused(model, coefficients, words):
    with pytest.raises(CalibrationError) as caught:
        check_distortion(model, coefficients)
    assert words in str(caught.value) and "\n" not in str(caught.value), caught.value
