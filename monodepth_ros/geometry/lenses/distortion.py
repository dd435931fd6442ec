# SPDX-License-Identifier: Apache-2.0
"""Lens distortion: ideal normalised image coordinates (X/Z, Y/Z) to distorted ones, and back.

A lens is up to three steps: a wide lens bends the ray (`geometry.wide_lenses`), OpenCV's polynomials move its point on
the image plane, and a tilted sensor projects that plane (`geometry.plane_distortion`). The models and their
coefficients are listed in `geometry.distortion_models`.

A fitted polynomial is not valid beyond the field of view of its calibration: past the first extremum of its radial
profile it folds back and shows the same pixels twice. The domain of a model is therefore where the profile still rises
and the map keeps its orientation; all functions return NaN outside of it, and for rays that do not look ahead.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from monodepth_ros.geometry.arrays import array_namespace, as_floating
from monodepth_ros.geometry.lenses.distortion_models import MODELS, CalibrationError, check_distortion
from monodepth_ros.geometry.lenses.plane_distortion import Jacobian, PlaneDistortion, Tilt
from monodepth_ros.geometry.lenses.wide_lenses import (
    DoubleSphere,
    Equidistant,
    ExtendedUnified,
    FieldOfView,
    UnifiedSphere,
    WideLens,
)

if TYPE_CHECKING:  # importing torch takes seconds, and numpy arrays need none of it
    from torch import Tensor

__all__ = [
    "MODELS",
    "CalibrationError",
    "central_gain",
    "check_distortion",
    "distort",
    "domain_radius",
    "is_pinhole",
    "undistort",
]

Array = TypeVar("Array", np.ndarray, "Tensor")
SOLVED = 1e-12  # largest error in the distorted plane, relative to 1 + radius


class _Lens:
    """The steps of a model, each of which may be missing."""

    def __init__(self, wide: WideLens | None = None, plane: PlaneDistortion | None = None, tilt: Tilt | None = None):
        self.wide, self.plane, self.tilt = wide, plane, tilt
        self.limit = np.inf if wide is None else wide.limit
        if plane is not None and wide is None:
            self.limit = plane.limit
        elif plane is not None and np.isfinite(plane.limit):
            with np.errstate(all="ignore"):
                reached = wide.invert(np.array([plane.limit]))[0]  # type: ignore[union-attr]
            self.limit = min(self.limit, float(reached)) if np.isfinite(reached) else self.limit

    def evaluate(self, xp: Any, x: Any, y: Any) -> tuple[Any, Any, Jacobian, Any]:
        """Distorted x and y, their Jacobian, and whether each point is in the domain."""
        jacobian: Jacobian = (1.0, 0.0, 0.0, 1.0)
        inside: Any = True
        if self.wide is not None:
            s = x * x + y * y
            inside = s < self.limit * self.limit
            x, y, s = (xp.where(inside, value, xp.zeros_like(value)) for value in (x, y, s))
            f, df = self.wide.factor(xp, s)
            across = 2.0 * x * y * df
            jacobian = (f + 2.0 * x * x * df, across, across, f + 2.0 * y * y * df)
            x, y = x * f, y * f
        if self.plane is not None:
            x, y, step, within = self.plane.evaluate(xp, x, y)
            jacobian = step if self.wide is None else _chained(step, jacobian)
            inside = inside & within
        if self.tilt is not None:
            x, y, step, within = self.tilt.evaluate(x, y)
            jacobian, inside = _chained(step, jacobian), inside & within
        return x, y, jacobian, inside

    def solve(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ideal points (N,) of distorted ones; where there is none, any point."""
        if self.tilt is not None:
            x, y = self.tilt.solve(x, y)
        if self.plane is not None:
            x, y = self.plane.solve(x, y)
        if self.wide is not None:
            radius = np.hypot(x, y)
            ratio = self.wide.invert(radius) / np.where(radius > 0, radius, 1.0)
            ratio = np.where(radius > 0, ratio, 1.0)
            x, y = x * ratio, y * ratio
        return x, y


def _chained(outer: Jacobian, inner: Jacobian) -> Jacobian:
    a, b, c, d = outer
    e, f, g, h = inner
    return a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h


@lru_cache(maxsize=32)
def _lens(model: str, coefficients: tuple[float, ...]) -> _Lens:
    D = [float(value) for value in coefficients]  # scalars of numpy would turn float32 into float64
    match model:
        case "equidistant":
            return _Lens(Equidistant(D))
        case "fov":
            return _Lens(FieldOfView(D[0]))
        case "double_sphere":
            return _Lens(DoubleSphere(D[0], D[1]))
        case "eucm":
            return _Lens(ExtendedUnified(D[0], D[1]))
        case "omnidirectional":
            return _Lens(UnifiedSphere(D[0]), PlaneDistortion(D[1:]) if any(D[1:]) else None)
    return _Lens(None, PlaneDistortion(D[:12]), Tilt(D[12], D[13]) if any(D[12:]) else None)


def is_pinhole(model: str, coefficients: np.ndarray) -> bool:
    """True if the model leaves every point where it is: all coefficients are zero."""
    return not np.any(coefficients)


def domain_radius(model: str, coefficients: np.ndarray) -> float:
    """The largest ideal radius tan(theta) up to which the radial profile rises; infinite if it always rises."""
    return _lens(model, tuple(coefficients)).limit


def central_gain(model: str, coefficients: np.ndarray) -> float:
    """Distorted radius per ideal radius on the axis: 1 unless a wide lens's focal length is not that of its centre."""
    wide = None if is_pinhole(model, coefficients) else _lens(model, tuple(coefficients)).wide
    return 1.0 if wide is None else float(wide.factor(np, np.zeros(1))[0][0])


def distort(points: Array, model: str, coefficients: np.ndarray) -> Array:
    """Distorted normalised coordinates of ideal ones (..., 2); NaN outside the model's domain.

    numpy or torch, in the input's floating type; differentiable.
    """
    points = as_floating(points)
    if is_pinhole(model, coefficients):
        return points
    xp = array_namespace(points)
    with np.errstate(all="ignore"):
        xd, yd, _, inside = _lens(model, tuple(coefficients)).evaluate(xp, points[..., 0], points[..., 1])
    nan = xp.full_like(xd, float("nan"))
    return xp.stack([xp.where(inside, xd, nan), xp.where(inside, yd, nan)], axis=-1)


def undistort(points: Array, model: str, coefficients: np.ndarray) -> Array:
    """Ideal normalised coordinates of distorted ones (..., 2); NaN where no point of the domain maps there.

    Solved in float64 (in closed form, or by bracketed Newton steps for the radius and damped ones for the other terms)
    and returned in the input's type. The gradient of a torch tensor follows from the implicit function theorem.
    """
    given: Any = as_floating(points)
    if is_pinhole(model, coefficients):
        return given
    torch = array_namespace(given)
    is_numpy = torch is np
    exact = given.astype(np.float64) if is_numpy else given.detach().cpu().double().numpy()
    values, inverse = _solve(exact, _lens(model, tuple(coefficients)))
    solution: Any = values.astype(given.dtype) if is_numpy else torch.from_numpy(values).to(given)
    if is_numpy or not given.requires_grad:
        return solution
    step = (given - given.detach()).unsqueeze(-2)  # zero, but with the gradient
    return solution + (torch.from_numpy(inverse).to(given) * step).sum(-1)


def _solve(points: np.ndarray, lens: _Lens) -> tuple[np.ndarray, np.ndarray]:
    """Ideal points (..., 2) and inverse Jacobians (..., 2, 2), which are zero where the points are NaN."""
    xd, yd = points.reshape(-1, 2).T
    with np.errstate(all="ignore"):
        x, y = lens.solve(xd, yd)
        fx, fy, (jxx, jxy, jyx, jyy), inside = lens.evaluate(np, x, y)
        solved = inside & (np.hypot(fx - xd, fy - yd) <= SOLVED * (1.0 + np.hypot(xd, yd)))
        determinant = jxx * jyy - jxy * jyx
        inverse = np.stack([jyy, -jxy, -jyx, jxx], axis=-1) / determinant[:, None]
    solution = np.where(solved[:, None], np.stack([x, y], axis=-1), np.nan)
    inverse = np.where(solved[:, None], inverse, 0.0)
    return solution.reshape(points.shape), inverse.reshape(*points.shape, 2)
