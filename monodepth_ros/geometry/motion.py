# SPDX-License-Identifier: Apache-2.0
"""Rigid motions in numpy float64: rotations, 4x4 transforms and their Lie group.

Transforms are named T_target_source and map source coordinates to target coordinates, so that T_a_c = T_a_b @ T_b_c.
Twists are (6,): the translation part v first, then the rotation part w [rad].

Functions that odometry calls hundreds of times per image compute with Python floats: for arrays of three or nine
numbers numpy spends more time on the set-up than on the computation.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from monodepth_ros.errors import MonodepthError
from monodepth_ros.limits import LARGEST_POSITION, LARGEST_QUATERNION, SMALLEST_QUATERNION

SMALL_ANGLE = 1e-2  # radians; below it the series used here are exact to double precision

# Optical axes (x right, y down, z forward) to body axes (x forward, y left, z up), REP-103.
R_BODY_OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
R_BODY_OPTICAL.setflags(write=False)


class MotionError(MonodepthError):
    """Numbers that are not a rotation or a rigid motion."""


def _finite(name: str, values: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape:
        raise MotionError(f"{name} has shape {array.shape}, expected {shape}")
    if not np.isfinite(array).all():
        raise MotionError(f"{name} is {array.tolist()}, expected finite numbers")
    return array


def skew(v: np.ndarray) -> np.ndarray:
    """The cross-product matrix (3, 3) of v (3,): skew(v) @ x = v x x."""
    x, y, z = v
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


def _sum_of_rotations(a: float, w: list[float], b: float) -> np.ndarray:
    """1 + a W + b W^2 (3, 3), where W = skew(w)."""
    x, y, z = w
    xx, yy, zz = x * x, y * y, z * z
    return np.array(
        [
            [1 - b * (yy + zz), b * x * y - a * z, b * x * z + a * y],
            [b * x * y + a * z, 1 - b * (xx + zz), b * y * z - a * x],
            [b * x * z - a * y, b * y * z + a * x, 1 - b * (xx + yy)],
        ]
    )


def _coefficients(angle: float) -> tuple[float, float, float]:
    """sin(a)/a, (1 - cos(a))/a^2 and (a - sin(a))/a^3, without cancellation."""
    s = angle * angle
    if angle < SMALL_ANGLE:
        return (
            1 - s / 6 + s * s / 120 - s**3 / 5040,
            1 / 2 - s / 24 + s * s / 720,
            1 / 6 - s / 120 + s * s / 5040,
        )
    half, sine = math.sin(angle / 2) / angle, math.sin(angle)
    return sine / angle, 2 * half * half, (angle - sine) / (s * angle)


def axis_angle_to_rotation(axis_angle: ArrayLike) -> np.ndarray:
    """Rotation matrix (3, 3) of an axis-angle vector (3,) [rad] (Rodrigues' formula)."""
    w = _finite("axis-angle", axis_angle, (3,)).tolist()
    a, b, _ = _coefficients(math.hypot(*w))
    return _sum_of_rotations(a, w, b)


def rotation_to_axis_angle(R: ArrayLike) -> np.ndarray:
    """Axis-angle vector (3,) [rad] of a rotation (3, 3); its length is the angle, 0 to pi.

    Computed from the quaternion, and therefore exact near both ends of the range.
    """
    x, y, z, w = rotation_to_quaternion(R).tolist()
    sine = math.hypot(x, y, z)
    # Near no rotation the angle is twice the sine to double precision.
    factor = 2.0 if sine < 1e-8 else 2.0 * math.atan2(sine, w) / sine
    return np.array([factor * x, factor * y, factor * z])


def quaternion_to_rotation(quaternion: ArrayLike) -> np.ndarray:
    """Rotation matrix (3, 3) of a quaternion (4,) in ROS order x, y, z, w.

    The quaternion need not have length 1 exactly. Raises MotionError for one that is zero or of an absurd length.
    """
    q = _finite("quaternion", quaternion, (4,))
    norm = math.hypot(*q.tolist())
    if not SMALLEST_QUATERNION <= norm <= LARGEST_QUATERNION:
        raise MotionError(f"quaternion is {q.tolist()}, expected length 1 (no rotation is 0, 0, 0, 1)")
    x, y, z, w = q / norm
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def rotation_to_quaternion(R: ArrayLike) -> np.ndarray:
    """Quaternion (4,) of a rotation (3, 3): ROS order x, y, z, w, length 1, w >= 0.

    Starts from the largest component (Shepperd 1978). Raises MotionError if R is clearly not a rotation.
    """
    (a, b, c), (d, e, f), (g, h, i) = rows = _finite("rotation", R, (3, 3)).tolist()
    lengths = a * a + b * b + c * c - 1, d * d + e * e + f * f - 1, g * g + h * h + i * i - 1
    angles = a * d + b * e + c * f, a * g + b * h + c * i, d * g + e * h + f * i
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    if max(map(abs, lengths + angles)) > 1e-3 or determinant < 0:
        raise MotionError(f"rotation is {rows}, expected orthonormal rows and determinant 1")
    trace = a + e + i
    largest = max(a, e, i, trace)
    if largest == trace:
        q = h - f, c - g, d - b, 1 + trace
    elif largest == a:
        q = 1 + a - e - i, d + b, g + c, h - f
    elif largest == e:
        q = b + d, 1 + e - i - a, h + f, c - g
    else:
        q = c + g, f + h, 1 + i - a - e, d - b
    return np.array(q) * (math.copysign(1.0, q[3]) / math.hypot(*q))


def checked_position(name: str, position: ArrayLike) -> np.ndarray:
    """A position or translation (3,) [m] from outside; MotionError unless it is finite and below LARGEST_POSITION."""
    values = np.asarray(position, dtype=np.float64)
    if values.shape != (3,) or not (np.abs(values) <= LARGEST_POSITION).all():
        raise MotionError(f"{name} is {values.tolist()}, expected three numbers up to {LARGEST_POSITION:g} m")
    return values


def make_transform(R: ArrayLike, t: ArrayLike) -> np.ndarray:
    """Transform (4, 4) of a rotation (3, 3) and a translation (3,)."""
    T = np.eye(4)
    T[:3, :3] = _finite("rotation", R, (3, 3))
    T[:3, 3] = _finite("translation", t, (3,))
    return T


def invert(T: ArrayLike) -> np.ndarray:
    """The exact inverse of a rigid transform (4, 4): T_source_target from T_target_source."""
    T = _finite("transform", T, (4, 4))
    inverse = np.eye(4)
    inverse[:3, :3] = T[:3, :3].T
    inverse[:3, 3] = -T[:3, :3].T @ T[:3, 3]
    return inverse


def exp_se3(xi: ArrayLike) -> np.ndarray:
    """Transform (4, 4) of moving with the twist xi (6,) = (v, w) for unit time."""
    xi = _finite("twist", xi, (6,))
    w = xi[3:].tolist()
    a, b, c = _coefficients(math.hypot(*w))
    T = np.eye(4)
    T[:3, :3] = _sum_of_rotations(a, w, b)
    T[:3, 3] = _sum_of_rotations(b, w, c) @ xi[:3]
    return T


def log_se3(T: ArrayLike) -> np.ndarray:
    """Twist (6,) = (v, w), |w| <= pi, of a transform (4, 4); the inverse of `exp_se3`."""
    T = _finite("transform", T, (4, 4))
    w = rotation_to_axis_angle(T[:3, :3])
    angle = math.hypot(*w.tolist())
    s = angle * angle
    if angle < SMALL_ANGLE:
        d = 1 / 12 + s / 720 + s * s / 30240
    else:
        d = (1 - (angle / 2) / math.tan(angle / 2)) / s
    return np.concatenate([_sum_of_rotations(-0.5, w.tolist(), d) @ T[:3, 3], w])


def power(T: ArrayLike, s: float) -> np.ndarray:
    """The fraction s of a motion (4, 4) along its screw: power(T, 0) = 1, power(T, 1) = T, power(T, -1) = T^-1."""
    return exp_se3(s * log_se3(T))


def interpolate(T_a: ArrayLike, T_b: ArrayLike, s: float) -> np.ndarray:
    """The transform (4, 4) at fraction s of the way from T_a (s = 0) to T_b (s = 1) at constant velocity."""
    T_a = _finite("transform", T_a, (4, 4))
    return T_a @ power(invert(T_a) @ _finite("transform", T_b, (4, 4)), s)


def orthonormalize(R: ArrayLike) -> np.ndarray:
    """The rotation nearest to R (3, 3), or to each of R (N, 3, 3), in the Frobenius norm (by SVD).

    Raises MotionError if R is singular.
    """
    shape = np.shape(R)
    R = _finite("rotation", R, shape if len(shape) == 3 and shape[1:] == (3, 3) else (3, 3))
    u, sizes, vt = np.linalg.svd(R)
    is_singular = sizes[..., -1] < 1e-6
    if is_singular.any():
        raise MotionError(
            f"rotation is {R[is_singular][0].tolist()}, which is singular: expected nearly orthonormal rows"
        )
    u[..., 2] *= np.sign(np.linalg.det(u @ vt))[..., None]
    return u @ vt


def adjoint(T: ArrayLike) -> np.ndarray:
    """Adjoint (6, 6) of a transform (4, 4), order v, w: exp(adjoint(T) xi) = T exp(xi) T^-1.

    It changes the frame of twists and of their covariances.
    """
    T = _finite("transform", T, (4, 4))
    R = T[:3, :3]
    Ad = np.zeros((6, 6))
    Ad[:3, :3] = Ad[3:, 3:] = R
    Ad[:3, 3:] = skew(T[:3, 3]) @ R
    return Ad
