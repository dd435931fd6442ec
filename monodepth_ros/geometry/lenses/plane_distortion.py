# SPDX-License-Identifier: Apache-2.0
"""OpenCV's distortion of points on the image plane: radial, tangential and thin prism terms, tilt of the sensor."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from monodepth_ros.geometry.lenses.radial_profile import (
    NEWTON_STEPS,
    Profile,
    invert_profile,
    radial_factor,
    rising_limit,
)

Jacobian = tuple[Any, Any, Any, Any]  # entries xx, xy, yx, yy


class PlaneDistortion:
    """k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4, as many as there are; the others are zero.

    limit: the radius up to which the radial profile rises.
    """

    def __init__(self, coefficients: Sequence[float]):
        k = [float(value) for value in coefficients]
        k += [0.0] * (12 - len(k))
        self._profile: Profile = ([1.0, k[0], k[1], k[4]], [1.0, *k[5:8]])
        self._p1, self._p2 = k[2:4]
        self._prism = k[8:12]
        self.is_radial = not (self._p1 or self._p2 or any(self._prism))

    @cached_property
    def limit(self) -> float:
        return rising_limit(self._profile)

    def evaluate(self, xp: Any, x: Any, y: Any) -> tuple[Any, Any, Jacobian, Any]:
        """Distorted x and y, their Jacobian, and whether each point is in the domain."""
        p1, p2 = self._p1, self._p2
        s = x * x + y * y
        inside = s < self.limit * self.limit
        x, y, s = (xp.where(inside, value, xp.zeros_like(value)) for value in (x, y, s))
        f, df = radial_factor(self._profile, s)
        xd = x * f + 2.0 * p1 * x * y + p2 * (s + 2.0 * x * x)
        yd = y * f + p1 * (s + 2.0 * y * y) + 2.0 * p2 * x * y
        jxx = f + 2.0 * x * x * df + 2.0 * p1 * y + 6.0 * p2 * x
        jxy = 2.0 * x * y * df + 2.0 * p1 * x + 2.0 * p2 * y
        jyy = f + 2.0 * y * y * df + 6.0 * p1 * y + 2.0 * p2 * x
        jyx = jxy
        if any(self._prism):
            s1, s2, s3, s4 = self._prism
            xd, yd = xd + s * (s1 + s2 * s), yd + s * (s3 + s4 * s)
            slope_x, slope_y = 2.0 * s1 + 4.0 * s2 * s, 2.0 * s3 + 4.0 * s4 * s
            jxx, jxy = jxx + x * slope_x, jxy + y * slope_x
            jyx, jyy = jyx + x * slope_y, jyy + y * slope_y
        if not self.is_radial:  # otherwise the radial limit is the whole domain
            inside = inside & (jxx * jyy - jxy * jyx > 0) & (jxx + jyy > 0)
        return xd, yd, (jxx, jxy, jyx, jyy), inside

    def solve(self, xd: np.ndarray, yd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ideal points (N,) of distorted ones; where there is none, any point: `evaluate` tells."""
        radius = np.hypot(xd, yd)
        q = invert_profile(radius, self._profile, self.limit)
        ratio = np.where(radius > 0, q / np.where(radius > 0, radius, 1.0), 1.0)
        x, y = xd * ratio, yd * ratio
        return (x, y) if self.is_radial else self._refine(x, y, xd, yd)

    def _refine(self, x: np.ndarray, y: np.ndarray, xd: np.ndarray, yd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Newton steps on both coordinates (N,); a step that leaves the domain or increases the error is halved."""
        x, y = x.copy(), y.copy()
        active = np.flatnonzero(np.isfinite(x))
        damping = np.ones(active.size)
        px, py = x[active], y[active]
        fx, fy, jacobian, inside = self.evaluate(np, px, py)
        for _ in range(8):  # pull a start beyond the fold of the full model towards the centre
            if inside.all():
                break
            px, py = np.where(inside, px, 0.9 * px), np.where(inside, py, 0.9 * py)
            fx, fy, jacobian, inside = self.evaluate(np, px, py)
        for _ in range(NEWTON_STEPS):
            tx, ty = xd[active], yd[active]
            ex, ey = fx - tx, fy - ty
            error = np.hypot(ex, ey)
            x[active], y[active] = px, py
            moving = (error > 4e-15 * (1.0 + np.hypot(tx, ty))) & (damping > 1e-6)
            if not moving.any():
                break
            active, damping, px, py, fx, fy, ex, ey, error, jxx, jxy, jyx, jyy, tx, ty = (
                a[moving] for a in (active, damping, px, py, fx, fy, ex, ey, error, *jacobian, tx, ty)
            )
            determinant = jxx * jyy - jxy * jyx
            nx = px - damping * (jyy * ex - jxy * ey) / determinant
            ny = py - damping * (jxx * ey - jyx * ex) / determinant
            gx, gy, trial, inside = self.evaluate(np, nx, ny)
            better = inside & (np.hypot(gx - tx, gy - ty) < error)
            px, py, fx, fy = (np.where(better, a, b) for a, b in ((nx, px), (ny, py), (gx, fx), (gy, fy)))
            jacobian = tuple(np.where(better, a, b) for a, b in zip(trial, (jxx, jxy, jyx, jyy)))
            damping = np.where(better, np.minimum(1.0, 2.0 * damping), 0.5 * damping)
        return x, y


class Tilt:
    """The image plane seen on a sensor that is turned by tau_x and tau_y [rad], OpenCV's last two terms."""

    def __init__(self, tau_x: float, tau_y: float):
        cx, sx, cy, sy = np.cos(tau_x), np.sin(tau_x), np.cos(tau_y), np.sin(tau_y)
        R = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]]) @ np.array([[1, 0, 0], [0, cx, sx], [0, -sx, cx]])
        self._forward = np.array([[R[2, 2], 0, -R[0, 2]], [0, R[2, 2], -R[1, 2]], [0, 0, 1]]) @ R
        self._backward = np.linalg.inv(self._forward)

    def evaluate(self, x: Any, y: Any) -> tuple[Any, Any, Jacobian, Any]:
        """Points on the sensor of points on the image plane, the Jacobian, and whether each is in front of it."""
        (a, b, c), (d, e, f), (g, h, i) = self._forward.tolist()
        w = g * x + h * y + i
        u, v = (a * x + b * y + c) / w, (d * x + e * y + f) / w
        return u, v, ((a - u * g) / w, (b - u * h) / w, (d - v * g) / w, (e - v * h) / w), w > 0

    def solve(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points on the image plane of points on the sensor."""
        x, y, w = np.tensordot(self._backward, np.stack([u, v, np.ones_like(u)]), axes=1)
        return x / w, y / w
