# SPDX-License-Identifier: Apache-2.0
"""Lens distortion: from ideal normalised image coordinates (X/Z, Y/Z) to distorted ones, and back.

The models are those of `sensor_msgs/distortion_models`, with OpenCV's equations and order of coefficients:

    plumb_bob            k1 k2 p1 p2 k3
    rational_polynomial  k1 k2 p1 p2 k3 k4 k5 k6
    equidistant          k1 k2 k3 k4         theta_d = theta (1 + k1 theta^2 + ...), Kannala and Brandt 2006

Every model is a radial profile g(q) = q N(q^2) / M(q^2), with q the radius r (theta = atan r for
equidistant); the first two add tangential terms. A fitted polynomial means nothing beyond the field it
was fitted in: past the first extremum of g it folds back and would show the same pixels twice. A point is
therefore in the domain of a model only where g still rises and the map as a whole keeps its orientation;
all functions answer NaN outside it.
"""

import sys
from functools import lru_cache

import numpy as np
from numpy.polynomial import Polynomial

from monodepth_ros.errors import MonodepthError

MODELS = {"plumb_bob": 5, "rational_polynomial": 8, "equidistant": 4}
NEWTON_STEPS = 60
SOLVED = 1e-12  # distance in the distorted plane, relative to 1 + radius


class CalibrationError(MonodepthError):
    """A calibration (camera_info, YAML file, camera matrix) that cannot be right."""


def check_distortion(model: str, coefficients) -> tuple[str, np.ndarray]:
    """The model's name and its coefficients in full length; no coefficients or no name mean a pinhole.

    A pinhole is returned as plumb_bob with five zeros. Four zeros of equidistant are an ideal fisheye, not
    a pinhole. Raises CalibrationError for an unknown model, a wrong number of coefficients, values that are
    not finite, and thin prism or tilt terms that are not zero.
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


def array_namespace(array):
    """`torch` for a tensor, else `numpy`; torch is not imported for this."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and isinstance(array, torch.Tensor) else np


def as_floating(array):
    """The array itself if it holds floats (numpy or torch), else its float64 copy."""
    xp = array_namespace(array)
    if xp is np:
        array = np.asarray(array)
        return array if array.dtype.kind == "f" else array.astype(np.float64)
    return array if array.dtype.is_floating_point else array.to(xp.float64)


def _profile(model: str, coefficients: np.ndarray) -> tuple[list[float], list[float]]:
    """Coefficients of N and M in ascending powers of q^2."""
    k = [float(value) for value in coefficients]
    if model == "equidistant":
        return [1.0, *k], [1.0]
    return [1.0, k[0], k[1], k[4]], [1.0, *k[5:8]]


@lru_cache(maxsize=32)
def _limit(model: str, coefficients: tuple[float, ...]) -> float:
    """The q below which the radial profile rises: up to its first extremum or pole, or pi/2 (equidistant)."""
    n, m = map(Polynomial, _profile(model, coefficients))
    slope = n * m + 2 * Polynomial([0.0, 1.0]) * (n.deriv() * m - n * m.deriv())
    roots = np.concatenate([slope.trim().roots(), m.trim().roots()])
    positive = roots.real[(np.abs(roots.imag) <= 1e-9 * np.abs(roots)) & (roots.real > 0)]
    limit = float(np.sqrt(positive.min())) if positive.size else np.inf
    return min(limit, np.pi / 2) if model == "equidistant" else limit


def domain_radius(model: str, coefficients: np.ndarray) -> float:
    """The largest ideal radius tan(theta) at which the radial profile rises; infinite if it always does."""
    limit = _limit(model, tuple(coefficients))
    if model != "equidistant":
        return limit
    return float(np.tan(limit)) if limit < np.pi / 2 else np.inf


def _horner(coefficients, s):
    value = coefficients[-1] + 0.0 * s
    for coefficient in reversed(coefficients[:-1]):
        value = value * s + coefficient
    return value


def _derivative(coefficients):
    return [power * value for power, value in enumerate(coefficients)][1:] or [0.0]


def _radial(profile, s):
    """The factor f = N(s)/M(s) and its derivative df/ds."""
    n, m = _horner(profile[0], s), _horner(profile[1], s)
    dn, dm = _horner(_derivative(profile[0]), s), _horner(_derivative(profile[1]), s)
    return n / m, (dn * m - n * dm) / (m * m)


def _factor(xp, model, coefficients, s):
    """The radial factor as a function of s = r^2 and its derivative by s."""
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


def _evaluate(xp, model, coefficients, x, y):
    """Distorted x and y, the entries xx, xy, yy of their (symmetric) Jacobian, and the domain."""
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
    if p1 or p2:  # without tangential terms the radial limit says it all
        inside = inside & (jxx * jyy - jxy * jxy > 0) & (jxx + jyy > 0)
    return xd, yd, (jxx, jxy, jyy), inside


def distort(points, model: str, coefficients: np.ndarray):
    """Ideal normalised coordinates (..., 2) to distorted ones, NaN outside the model's domain.

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


def undistort(points, model: str, coefficients: np.ndarray):
    """Distorted normalised coordinates (..., 2) to ideal ones, NaN where no point of the domain maps there.

    Solved in float64 (bracketed Newton for the radius, damped Newton for the tangential terms), returned in
    the input's type; the gradient of a torch tensor comes from the implicit function theorem.
    """
    points = as_floating(points)
    if is_pinhole(model, coefficients):
        return points
    torch = array_namespace(points)
    if torch is np:
        return _solve(points.astype(np.float64), model, coefficients)[0].astype(points.dtype)
    values, inverse = _solve(points.detach().cpu().double().numpy(), model, coefficients)
    solution = torch.from_numpy(values).to(points)
    if not points.requires_grad:
        return solution
    step = (points - points.detach()).unsqueeze(-2)  # zero, but it carries the gradient
    return solution + (torch.from_numpy(inverse).to(points) * step).sum(-1)


def _solve(points: np.ndarray, model, coefficients) -> tuple[np.ndarray, np.ndarray]:
    """Ideal points and the inverse Jacobians (..., 2, 2); the latter are zero where the former are NaN."""
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


def _invert_profile(radius: np.ndarray, profile, limit: float) -> np.ndarray:
    """q (N,) with g(q) = radius, by Newton steps kept in a shrinking bracket; near the limit if none."""
    reach = np.max(radius[np.isfinite(radius)], initial=0.0)
    top = np.float64(limit)  # numpy's: dividing by zero at a pole gives infinity, no exception
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


def _refine(x, y, xd, yd, model, coefficients):
    """Newton on both coordinates (N,); a step that leaves the domain or does not help is halved."""
    x, y = x.copy(), y.copy()
    active = np.flatnonzero(np.isfinite(x))
    damping = np.ones(active.size)
    px, py = x[active], y[active]
    fx, fy, jacobian, inside = _evaluate(np, model, coefficients, px, py)
    for _ in range(8):  # a start beyond the fold of the full model is pulled towards the centre
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
