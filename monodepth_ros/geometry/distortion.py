# SPDX-License-Identifier: Apache-2.0
"""Lens distortion: ideal normalised image coordinates (X/Z, Y/Z) to distorted ones, and back.

The models are those of `sensor_msgs/distortion_models`, with OpenCV's equations and order of coefficients:

    plumb_bob            k1 k2 p1 p2 k3
    rational_polynomial  k1 k2 p1 p2 k3 k4 k5 k6
    equidistant          k1 k2 k3 k4         theta_d = theta (1 + k1 theta^2 + ...), Kannala and Brandt 2006

Every model is a radial profile g(q) = q N(q^2) / M(q^2), where q is the radius r (theta = atan r for equidistant); the
first two models add tangential terms. A fitted polynomial is not valid beyond the field of view of its calibration:
past the first extremum of g it folds back and shows the same pixels twice. The domain of a model is therefore where g
still rises and the map keeps its orientation; all functions return NaN outside of it.
"""

import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import ArrayLike

from monodepth_ros.errors import MonodepthError

if TYPE_CHECKING:  # importing torch takes seconds, and numpy arrays need none of it
    from torch import Tensor

Array = TypeVar("Array", np.ndarray, "Tensor")
Profile = tuple[list[float], list[float]]  # coefficients of N and M
Jacobian = tuple[Any, Any, Any]  # entries xx, xy, yy of a symmetric Jacobian

MODELS = {"plumb_bob": 5, "rational_polynomial": 8, "equidistant": 4}
NEWTON_STEPS = 60
SOLVED = 1e-12  # largest error in the distorted plane, relative to 1 + radius


class CalibrationError(MonodepthError):
    """An impossible calibration: camera_info, YAML file or camera matrix."""


def check_distortion(model: str, coefficients: ArrayLike) -> tuple[str, np.ndarray]:
    """The model's name and its coefficients in full length.

    No coefficients or an empty name mean a pinhole, which is returned as plumb_bob with five zeros. Equidistant with
    four zeros is an ideal fisheye, not a pinhole. Raises CalibrationError for an unknown model, a wrong number of
    coefficients, values that are not finite, and thin prism or tilt terms other than zero.
    """
    values = np.array(coefficients, dtype=np.float64).reshape(-1)
    if model and model not in MODELS:
        raise CalibrationError(f"distortion model is '{model}', expected one of {', '.join(MODELS)}")
    if not np.isfinite(values).all():
        raise CalibrationError(f"distortion coefficients are {values.tolist()}, expected finite numbers")
    if not model and values.any():
        raise CalibrationError(
            f"distortion model is empty but its coefficients are {values.tolist()}, expected one of {', '.join(MODELS)}"
        )
    if not model or values.size == 0:
        return "plumb_bob", np.zeros(MODELS["plumb_bob"])
    accepted = {"plumb_bob": (4, 5), "rational_polynomial": (8, 12, 14), "equidistant": (4,)}[model]
    if values.size not in accepted:
        lengths = " or ".join(map(str, accepted))
        raise CalibrationError(f"{model} has {values.size} distortion coefficients, expected {lengths}")
    if values[8:].any():
        raise CalibrationError(
            f"{model} has thin prism or tilt terms {values[8:].tolist()}, expected zeros: "
            "calibrate again with the 8 coefficients only"
        )
    full = np.zeros(MODELS[model])
    kept = values[: full.size]
    full[: kept.size] = kept
    return model, full + 0.0  # + 0.0 turns -0.0 into 0.0, so that equal models have equal bytes


def is_pinhole(model: str, coefficients: np.ndarray) -> bool:
    """True if the model leaves every point where it is."""
    return model != "equidistant" and not np.any(coefficients)


def array_namespace(array: object) -> Any:
    """The module `torch` for a tensor, else `numpy`; does not import torch."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and isinstance(array, torch.Tensor) else np


def as_floating(array: Any) -> Any:
    """The array (numpy or torch) if it holds floats, else a float64 copy."""
    xp = array_namespace(array)
    if xp is np:
        array = np.asarray(array)
        return array if array.dtype.kind == "f" else array.astype(np.float64)
    return array if array.dtype.is_floating_point else array.to(xp.float64)


def _profile(model: str, coefficients: Sequence[float] | np.ndarray) -> Profile:
    """Coefficients of N and M in ascending powers of q^2."""
    k = [float(value) for value in coefficients]
    if model == "equidistant":
        return [1.0, *k], [1.0]
    return [1.0, k[0], k[1], k[4]], [1.0, *k[5:8]]


@lru_cache(maxsize=32)
def _limit(model: str, coefficients: tuple[float, ...]) -> float:
    """The q below which the radial profile rises: its first extremum or pole, at most pi/2 for equidistant."""
    n, m = map(Polynomial, _profile(model, coefficients))
    slope = n * m + 2 * Polynomial([0.0, 1.0]) * (n.deriv() * m - n * m.deriv())
    roots = np.concatenate([slope.trim().roots(), m.trim().roots()])
    positive = roots.real[(np.abs(roots.imag) <= 1e-9 * np.abs(roots)) & (roots.real > 0)]
    limit = float(np.sqrt(positive.min())) if positive.size else np.inf
    return min(limit, np.pi / 2) if model == "equidistant" else limit


def domain_radius(model: str, coefficients: np.ndarray) -> float:
    """The largest ideal radius tan(theta) up to which the radial profile rises; infinite if it always rises."""
    limit = _limit(model, tuple(coefficients))
    if model != "equidistant":
        return limit
    return float(np.tan(limit)) if limit < np.pi / 2 else np.inf


def _horner(coefficients: list[float], s: Any) -> Any:
    value = coefficients[-1] + 0.0 * s
    for coefficient in reversed(coefficients[:-1]):
        value = value * s + coefficient
    return value


def _derivative(coefficients: list[float]) -> list[float]:
    return [power * value for power, value in enumerate(coefficients)][1:] or [0.0]


def _radial(profile: Profile, s: Any) -> tuple[Any, Any]:
    """The factor f = N(s)/M(s) and its derivative df/ds."""
    n, m = _horner(profile[0], s), _horner(profile[1], s)
    dn, dm = _horner(_derivative(profile[0]), s), _horner(_derivative(profile[1]), s)
    return n / m, (dn * m - n * dm) / (m * m)


def _factor(xp: Any, model: str, coefficients: np.ndarray, s: Any) -> tuple[Any, Any]:
    """The radial factor at s = r^2 and its derivative by s."""
    profile = _profile(model, coefficients)
    if model != "equidistant":
        return _radial(profile, s)
    near = s < xp.finfo(s.dtype).eps
    safe = xp.where(near, xp.ones_like(s), s)
    r = xp.sqrt(safe)
    theta = xp.arctan(r)
    f, df = _radial(profile, theta * theta)
    slope = (f + 2.0 * theta * theta * df) / (1.0 + safe)
    factor = theta * f / r
    first = profile[0][1] - 1.0 / 3.0  # theta_d / r = 1 + (k1 - 1/3) r^2 + ...
    return (
        xp.where(near, 1.0 + first * s, factor),
        xp.where(near, first + 0.0 * s, (slope - factor) / (2.0 * safe)),
    )


def _evaluate(xp: Any, model: str, coefficients: np.ndarray, x: Any, y: Any) -> tuple[Any, Any, Jacobian, Any]:
    """Distorted x and y, their Jacobian, and whether each point is in the domain."""
    s = x * x + y * y
    p1, p2 = (0.0, 0.0) if model == "equidistant" else (float(coefficients[2]), float(coefficients[3]))
    limit = domain_radius(model, coefficients)
    inside = s < limit * limit
    x, y, s = (xp.where(inside, value, xp.zeros_like(value)) for value in (x, y, s))
    f, df = _factor(xp, model, coefficients, s)
    xd = x * f + 2.0 * p1 * x * y + p2 * (s + 2.0 * x * x)
    yd = y * f + p1 * (s + 2.0 * y * y) + 2.0 * p2 * x * y
    jxx = f + 2.0 * x * x * df + 2.0 * p1 * y + 6.0 * p2 * x
    jxy = 2.0 * x * y * df + 2.0 * p1 * x + 2.0 * p2 * y
    jyy = f + 2.0 * y * y * df + 6.0 * p1 * y + 2.0 * p2 * x
    if p1 or p2:  # without tangential terms the radial limit is the whole domain
        inside = inside & (jxx * jyy - jxy * jxy > 0) & (jxx + jyy > 0)
    return xd, yd, (jxx, jxy, jyy), inside


def distort(points: Array, model: str, coefficients: np.ndarray) -> Array:
    """Distorted normalised coordinates of ideal ones (..., 2); NaN outside the model's domain.

    numpy or torch, in the input's floating type; differentiable. Equations: OpenCV, calib3d and fisheye.
    """
    points = as_floating(points)
    if is_pinhole(model, coefficients):
        return points
    xp = array_namespace(points)
    with np.errstate(all="ignore"):
        xd, yd, _, inside = _evaluate(xp, model, coefficients, points[..., 0], points[..., 1])
    nan = xp.full_like(xd, float("nan"))
    return xp.stack([xp.where(inside, xd, nan), xp.where(inside, yd, nan)], axis=-1)


def undistort(points: Array, model: str, coefficients: np.ndarray) -> Array:
    """Ideal normalised coordinates of distorted ones (..., 2); NaN where no point of the domain maps there.

    Solved in float64 (bracketed Newton for the radius, damped Newton for the tangential terms) and returned in the
    input's type. The gradient of a torch tensor follows from the implicit function theorem.
    """
    given: Any = as_floating(points)
    if is_pinhole(model, coefficients):
        return given
    torch = array_namespace(given)
    is_numpy = torch is np
    exact = given.astype(np.float64) if is_numpy else given.detach().cpu().double().numpy()
    values, inverse = _solve(exact, model, coefficients)
    solution: Any = values.astype(given.dtype) if is_numpy else torch.from_numpy(values).to(given)
    if is_numpy or not given.requires_grad:
        return solution
    step = (given - given.detach()).unsqueeze(-2)  # zero, but with the gradient
    return solution + (torch.from_numpy(inverse).to(given) * step).sum(-1)


def _solve(points: np.ndarray, model: str, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ideal points (..., 2) and inverse Jacobians (..., 2, 2), which are zero where the points are NaN."""
    xd, yd = points.reshape(-1, 2).T
    with np.errstate(all="ignore"):
        radius = np.hypot(xd, yd)
        q = _invert_profile(radius, _profile(model, coefficients), _limit(model, tuple(coefficients)))
        ideal = np.tan(q) if model == "equidistant" else q
        ratio = np.where(radius > 0, ideal / np.where(radius > 0, radius, 1.0), 1.0)
        x, y = xd * ratio, yd * ratio
        if model != "equidistant" and np.any(coefficients[2:4]):
            x, y = _refine(x, y, xd, yd, model, coefficients)
        fx, fy, (jxx, jxy, jyy), inside = _evaluate(np, model, coefficients, x, y)
        solved = inside & (np.hypot(fx - xd, fy - yd) <= SOLVED * (1.0 + radius))
        determinant = jxx * jyy - jxy * jxy
        inverse = np.stack([jyy, -jxy, -jxy, jxx], axis=-1) / determinant[:, None]
    solution = np.where(solved[:, None], np.stack([x, y], axis=-1), np.nan)
    inverse = np.where(solved[:, None], inverse, 0.0)
    return solution.reshape(points.shape), inverse.reshape(*points.shape, 2)


def _invert_profile(radius: np.ndarray, profile: Profile, limit: float) -> np.ndarray:
    """q (N,) with g(q) = radius, by Newton steps in a shrinking bracket; near the limit where there is none."""
    reach = np.max(radius[np.isfinite(radius)], initial=0.0)
    top = np.float64(limit)  # not a Python float, which would raise an exception at a pole
    if not np.isfinite(limit):
        top = np.float64(1.0)
        while top < 1e12 and top * _radial(profile, top * top)[0] < reach:
            top *= 2.0
    q = np.where(np.isfinite(radius), 0.999 * top, np.nan)
    edge = top * _radial(profile, top * top)[0]
    if not edge > 0:  # a pole: the profile reaches every radius
        edge = np.inf
    active = np.flatnonzero(radius < edge)
    low, high = np.zeros(active.size), np.full(active.size, top)
    now = np.minimum(radius[active], 0.5 * top)
    for _ in range(NEWTON_STEPS):
        s = now * now
        f, df = _radial(profile, s)
        excess = now * f - radius[active]
        low, high = np.where(excess <= 0, now, low), np.where(excess > 0, now, high)
        step = now - excess / (f + 2.0 * s * df)
        step = np.where((step > low) & (step < high), step, 0.5 * (low + high))
        moving = (np.abs(step - now) > 4e-16 * (1.0 + now)) & (excess != 0)
        now = np.where(excess != 0, step, now)
        q[active] = now
        if not moving.any():
            break
        active, now, low, high = active[moving], now[moving], low[moving], high[moving]
    return q


def _refine(
    x: np.ndarray, y: np.ndarray, xd: np.ndarray, yd: np.ndarray, model: str, coefficients: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Newton steps on both coordinates (N,); a step that leaves the domain or increases the error is halved."""
    x, y = x.copy(), y.copy()
    active = np.flatnonzero(np.isfinite(x))
    damping = np.ones(active.size)
    px, py = x[active], y[active]
    fx, fy, jacobian, inside = _evaluate(np, model, coefficients, px, py)
    for _ in range(8):  # pull a start beyond the fold of the full model towards the centre
        if inside.all():
            break
        px, py = np.where(inside, px, 0.9 * px), np.where(inside, py, 0.9 * py)
        fx, fy, jacobian, inside = _evaluate(np, model, coefficients, px, py)
    for _ in range(NEWTON_STEPS):
        tx, ty = xd[active], yd[active]
        ex, ey = fx - tx, fy - ty
        error = np.hypot(ex, ey)
        x[active], y[active] = px, py
        moving = (error > 4e-15 * (1.0 + np.hypot(tx, ty))) & (damping > 1e-6)
        if not moving.any():
            break
        active, damping, px, py, fx, fy, ex, ey, error, jxx, jxy, jyy, tx, ty = (
            a[moving] for a in (active, damping, px, py, fx, fy, ex, ey, error, *jacobian, tx, ty)
        )
        determinant = jxx * jyy - jxy * jxy
        nx = px - damping * (jyy * ex - jxy * ey) / determinant
        ny = py - damping * (jxx * ey - jxy * ex) / determinant
        gx, gy, trial, inside = _evaluate(np, model, coefficients, nx, ny)
        better = inside & (np.hypot(gx - tx, gy - ty) < error)
        px, py, fx, fy = (np.where(better, a, b) for a, b in ((nx, px), (ny, py), (gx, fx), (gy, fy)))
        jacobian = tuple(np.where(better, a, b) for a, b in zip(trial, (jxx, jxy, jyy)))
        damping = np.where(better, np.minimum(1.0, 2.0 * damping), 0.5 * damping)
    return x, y
