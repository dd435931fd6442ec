# SPDX-License-Identifier: Apache-2.0
"""Rotations, transforms and their group: identities, difficult angles, long integration."""

import cv2
import numpy as np
import pytest

from monodepth_ros.geometry.motion import (
    R_BODY_OPTICAL,
    MotionError,
    adjoint,
    axis_angle_to_rotation,
    exp_se3,
    interpolate,
    invert,
    log_se3,
    make_transform,
    orthonormalize,
    power,
    quaternion_to_rotation,
    rotation_to_axis_angle,
    rotation_to_quaternion,
)

ANGLES = [0.0, 1e-300, 1e-12, 1e-8, 1e-5, 9.99e-3, 1.001e-2, 0.5, 2.0]
ANGLES += [np.pi - 1e-3, np.pi - 1e-8, np.pi - 1e-13]
AXES = [[1, 0, 0], [0, 1, 0], [0, 0, -1], [1, 1, 1], [-0.2, 0.9, 0.4], [1, -1e-9, 0]]


def axis_angles():
    for axis in AXES:
        for angle in ANGLES:
            yield np.array(axis) / np.linalg.norm(axis) * angle


def some_transforms(count=20, seed=0):
    rng = np.random.default_rng(seed)
    return [exp_se3(np.concatenate([rng.normal(0, 3, 3), rng.normal(0, 1, 3)])) for _ in range(count)]


def expm(matrix):
    """The matrix exponential by its series after repeated halving, independent of the closed forms."""
    result, term = np.eye(4), np.eye(4)
    for k in range(1, 25):
        term = term @ (matrix / 2**10) / k
        result = result + term
    for _ in range(10):
        result = result @ result
    return result


def test_rotations_equal_opencvs():
    for w in axis_angles():
        assert np.abs(axis_angle_to_rotation(w) - cv2.Rodrigues(w)[0]).max() < 1e-14, w


def test_axis_angle_is_recovered_from_the_matrix_at_every_angle():
    for w in axis_angles():
        back = rotation_to_axis_angle(axis_angle_to_rotation(w))
        error = min(np.abs(back - w).max(), np.abs(back + w).max() if np.linalg.norm(w) > 3.14 else np.inf)
        assert error < 2e-15 + 1e-13 * np.linalg.norm(w), (w, back)


def test_half_turns_have_angle_pi_about_either_direction():
    for axis in AXES:
        w = np.array(axis) / np.linalg.norm(axis) * np.pi
        back = rotation_to_axis_angle(axis_angle_to_rotation(w))
        assert min(np.abs(back - w).max(), np.abs(back + w).max()) < 1e-13, (w, back)


def test_tiny_rotations_keep_their_relative_precision():
    w = np.array([3e-9, -4e-9, 1e-9])
    assert rotation_to_axis_angle(axis_angle_to_rotation(w)) == pytest.approx(w, rel=1e-7)


def test_quaternions_are_in_ros_order_and_are_recovered_from_the_matrix():
    quarter = rotation_to_quaternion(axis_angle_to_rotation([0, 0, np.pi / 2]))
    assert quarter == pytest.approx([0, 0, np.sqrt(0.5), np.sqrt(0.5)])
    for w in axis_angles():
        R = axis_angle_to_rotation(w)
        q = rotation_to_quaternion(R)
        assert q[3] >= 0 and abs(np.linalg.norm(q) - 1) < 1e-15
        assert np.abs(quaternion_to_rotation(q) - R).max() < 1e-14, w


def test_quaternions_of_any_length_and_sign_are_accepted():
    q = np.array([0.1, -0.7, 0.2, 0.5])
    R = quaternion_to_rotation(q)
    assert np.abs(quaternion_to_rotation(-7 * q) - R).max() < 1e-15
    assert np.abs(R @ R.T - np.eye(3)).max() < 1e-15


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1.0])
def test_exponential_equals_the_matrix_series_and_logarithm_inverts_it(scale):
    rng = np.random.default_rng(3)
    for _ in range(50):
        xi = np.concatenate([rng.normal(0, 5, 3), rng.normal(0, 1, 3) * scale])
        v, (x, y, z) = xi[:3], xi[3:]
        twist = np.array([[0, -z, y, v[0]], [z, 0, -x, v[1]], [-y, x, 0, v[2]], [0, 0, 0, 0]])
        T = exp_se3(xi)
        assert np.abs(T - expm(twist)).max() < 1e-11, xi
        if np.linalg.norm(xi[3:]) < np.pi:
            assert np.abs(log_se3(T) - xi).max() < 1e-12 * 50, (xi, log_se3(T))


def test_logarithm_near_half_turns_is_inverted_by_the_exponential():
    for w in axis_angles():
        T = make_transform(axis_angle_to_rotation(w), [3.0, -2.0, 0.7])
        assert np.abs(exp_se3(log_se3(T)) - T).max() < 1e-12, w


def test_powers_are_fractions_of_one_motion():
    for T in some_transforms():
        assert np.abs(power(T, 0) - np.eye(4)).max() < 1e-14 and np.abs(power(T, 1) - T).max() < 1e-12
        assert np.abs(power(T, 0.3) @ power(T, 0.7) - T).max() < 1e-12
        assert np.abs(power(T, -1) - invert(T)).max() < 1e-12
        assert np.abs(power(T, 0.5) @ power(T, 0.5) - T).max() < 1e-12


def test_interpolation_starts_at_a_ends_at_b_and_moves_steadily():
    a, b = some_transforms(2, seed=5)
    assert np.abs(interpolate(a, b, 0) - a).max() < 1e-14 and np.abs(interpolate(a, b, 1) - b).max() < 1e-12
    steps = [interpolate(a, b, s) for s in np.linspace(0, 1, 6)]
    moves = np.array([log_se3(invert(steps[i]) @ steps[i + 1]) for i in range(5)])
    assert np.abs(moves - moves[0]).max() < 1e-12


def test_inverse_undoes_a_transform():
    for T in some_transforms():
        assert np.abs(invert(T) @ T - np.eye(4)).max() < 1e-14


def test_adjoint_moves_twists_between_frames():
    xi = np.array([0.3, -0.1, 0.7, 0.02, 0.3, -0.4])
    for T in some_transforms():
        moved = T @ exp_se3(xi) @ invert(T)
        assert np.abs(exp_se3(adjoint(T) @ xi) - moved).max() < 1e-12
        assert np.abs(adjoint(T) @ adjoint(invert(T)) - np.eye(6)).max() < 1e-13
    a, b = some_transforms(2, seed=7)
    assert np.abs(adjoint(a @ b) - adjoint(a) @ adjoint(b)).max() < 1e-12


def test_a_hundred_thousand_steps_stay_a_rotation_when_orthonormalised():
    step, T = exp_se3([0.01, 0, 1.0, 1e-3, -2e-3, 5e-4]), np.eye(4)
    for i in range(100_000):
        T = T @ step
        if i % 100 == 0:
            T[:3, :3] = orthonormalize(T[:3, :3])
    T[:3, :3] = orthonormalize(T[:3, :3])
    exact = power(step, 100_000)  # a helix: the same screw, 1e5 times as far
    assert np.abs(T[:3, :3] @ T[:3, :3].T - np.eye(3)).max() < 1e-15
    assert np.abs(T[:3, :3] - exact[:3, :3]).max() < 1e-9 and np.abs(T[:3, 3] - exact[:3, 3]).max() < 1e-5


def test_orthonormalising_finds_the_nearest_rotation():
    rng = np.random.default_rng(0)
    R = axis_angle_to_rotation([0.3, 2.0, -1.0])
    near = orthonormalize(R + rng.normal(0, 1e-3, (3, 3)))
    assert np.abs(near @ near.T - np.eye(3)).max() < 1e-14 and np.linalg.det(near) == pytest.approx(1)
    assert np.abs(near - R).max() < 5e-3
    assert np.linalg.det(orthonormalize(np.diag([1.0, 1, -0.1]))) == pytest.approx(1)
    several = R + rng.normal(0, 1e-3, (4, 3, 3))
    np.testing.assert_array_equal(orthonormalize(several), [orthonormalize(one) for one in several])
    several[2] = 0
    with pytest.raises(MotionError, match="singular"):
        orthonormalize(several)


def test_optical_axes_turn_into_body_axes():
    right, down, forward = np.eye(3)
    assert (R_BODY_OPTICAL @ forward).tolist() == [1, 0, 0]
    assert (R_BODY_OPTICAL @ -right).tolist() == [0, 1, 0]
    assert (R_BODY_OPTICAL @ -down).tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    "use, argument, words",
    [
        (quaternion_to_rotation, [0, 0, 0, 0], "quaternion is [0.0, 0.0, 0.0, 0.0]"),
        (quaternion_to_rotation, [0, 0, np.nan, 1], "finite"),
        (axis_angle_to_rotation, [0, 0], "expected (3,)"),
        (exp_se3, np.zeros(7), "expected (6,)"),
        (log_se3, np.diag([2.0, 2, 2, 1]), "orthonormal"),
        (rotation_to_quaternion, np.diag([1.0, 1, -1]), "determinant"),
        (invert, np.full((4, 4), np.inf), "finite"),
        (orthonormalize, np.zeros((3, 3)), "singular"),
    ],
)
def test_numbers_that_are_not_a_motion_are_refused(use, argument, words):
    with pytest.raises(MotionError) as caught:
        use(argument)
    assert words in str(caught.value) and "\n" not in str(caught.value), caught.value
