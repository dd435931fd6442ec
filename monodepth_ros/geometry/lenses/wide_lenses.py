# SPDX-License-Identifier: Apache-2.0
"""Lenses that bend rays before the image plane: equidistant, field of view, unified and double sphere.

Each maps the ideal radius q = tan(theta) to the radius g(q) = q f(q^2) and has

    limit            the q up to which g rises; the models' points behind the camera have no q
    factor(xp, s)    f and df/ds at s = q^2, numpy or torch
    invert(radius)   q of distorted radii (N,), NaN where there is none in front of the camera
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from monodepth_ros.geometry.lenses.radial_profile import Profile, invert_profile, radial_factor, rising_limit


class WideLens(Protocol):
    """See the module's text."""

    @property
    def limit(self) -> float: ...

    def factor(self, xp: Any, s: Any) -> tuple[Any, Any]: ...

    def invert(self, radius: np.ndarray) -> np.ndarray: ...


class Equidistant:
    """theta (1 + k1 theta^2 + k2 theta^4 + k3 theta^6 + k4 theta^8); Kannala and Brandt 2006, OpenCV's fisheye."""

    def __init__(self, k: Sequence[float]):
        self._profile: Profile = ([1.0, *map(float, k)], [1.0])

    @cached_property
    def _largest_angle(self) -> float:
        return min(rising_limit(self._profile), np.pi / 2)

    @property
    def limit(self) -> float:
        return float(np.tan(self._largest_angle)) if self._largest_angle < np.pi / 2 else np.inf

    def factor(self, xp: Any, s: Any) -> tuple[Any, Any]:
        near = s < xp.finfo(s.dtype).eps
        safe = xp.where(near, xp.ones_like(s), s)
        r = xp.sqrt(safe)
        theta = xp.arctan(r)
        f, df = radial_factor(self._profile, theta * theta)
        slope = (f + 2.0 * theta * theta * df) / (1.0 + safe)
        factor = theta * f / r
        first = self._profile[0][1] - 1.0 / 3.0  # theta_d / r = 1 + (k1 - 1/3) r^2 + ...
        return (
            xp.where(near, 1.0 + first * s, factor),
            xp.where(near, first + 0.0 * s, (slope - factor) / (2.0 * safe)),
        )

    def invert(self, radius: np.ndarray) -> np.ndarray:
        return np.tan(invert_profile(radius, self._profile, self._largest_angle))


class FieldOfView:
    """arctan(2 q tan(w / 2)) / w; Devernay and Faugeras 2001, the RealSense SDK's F-Theta."""

    limit = np.inf

    def __init__(self, w: float):
        self._w, self._tangent = w, 2.0 * float(np.tan(0.5 * w))

    def factor(self, xp: Any, s: Any) -> tuple[Any, Any]:
        squared = s * self._tangent**2
        near = squared < xp.finfo(s.dtype).eps
        safe = xp.where(near, xp.ones_like(s), squared)
        u = xp.sqrt(safe)
        ratio = xp.arctan(u) / u
        gain = self._tangent / self._w
        slope = 0.5 * (1.0 / (1.0 + safe) - ratio) / safe * self._tangent**2
        return (
            gain * xp.where(near, 1.0 - squared / 3.0, ratio),
            gain * xp.where(near, 0.0 * s - self._tangent**2 / 3.0, slope),
        )

    def invert(self, radius: np.ndarray) -> np.ndarray:
        angle = radius * self._w
        return np.where(angle < np.pi / 2, np.tan(angle) / self._tangent, np.nan)


class UnifiedSphere:
    """q / (1 + xi sqrt(q^2 + 1)): a sphere seen from xi behind its centre; Mei and Rives 2007, Geyer and Daniilidis."""

    def __init__(self, xi: float):
        self._xi = xi

    @property
    def limit(self) -> float:
        return np.inf if self._xi >= 0 else float(np.sqrt(self._xi**-2 - 1.0))

    def factor(self, xp: Any, s: Any) -> tuple[Any, Any]:
        d = xp.sqrt(s + 1.0)
        h = 1.0 + self._xi * d
        return 1.0 / h, -0.5 * self._xi / (d * h * h)

    def invert(self, radius: np.ndarray) -> np.ndarray:
        s = radius * radius
        along = (self._xi + np.sqrt(1.0 + (1.0 - self._xi**2) * s)) / (s + 1.0)
        return _tangent(along * radius, along - self._xi)


class ExtendedUnified:
    """q / (alpha sqrt(beta q^2 + 1) + 1 - alpha); Khomutenko, Garcia and Martinet 2016 (EUCM)."""

    limit = np.inf

    def __init__(self, alpha: float, beta: float):
        self._alpha, self._beta = alpha, beta

    def factor(self, xp: Any, s: Any) -> tuple[Any, Any]:
        d = xp.sqrt(self._beta * s + 1.0)
        h = self._alpha * d + (1.0 - self._alpha)
        return 1.0 / h, -0.5 * self._alpha * self._beta / (d * h * h)

    def invert(self, radius: np.ndarray) -> np.ndarray:
        a, s = self._alpha, self._beta * radius * radius
        along = (1.0 - a * a * s) / (a * np.sqrt(1.0 - (2.0 * a - 1.0) * s) + 1.0 - a)
        return _tangent(radius, along)


class DoubleSphere:
    """q / (alpha sqrt(q^2 + (xi d + 1)^2) + (1 - alpha) (xi d + 1)), d = sqrt(q^2 + 1); Usenko 2018."""

    def __init__(self, xi: float, alpha: float):
        self._xi, self._alpha = xi, alpha

    @property
    def limit(self) -> float:
        xi, a = self._xi, self._alpha
        w = a / (1.0 - a) if a <= 0.5 else (1.0 - a) / a
        rest = 1.0 - xi * xi * (1.0 - w * w)
        # The cosine of the largest angle: there the ray meets the second sphere at a cosine of -w, and g ends or turns.
        cosine = -xi * (1.0 - w * w) - w * float(np.sqrt(max(rest, 0.0)))
        return np.inf if rest < 0 or cosine <= 0 else float(np.sqrt(cosine**-2 - 1.0))

    def factor(self, xp: Any, s: Any) -> tuple[Any, Any]:
        d1 = xp.sqrt(s + 1.0)
        z, dz = self._xi * d1 + 1.0, 0.5 * self._xi / d1
        d2 = xp.sqrt(s + z * z)
        h = self._alpha * d2 + (1.0 - self._alpha) * z
        dh = self._alpha * (0.5 + z * dz) / d2 + (1.0 - self._alpha) * dz
        return 1.0 / h, -dh / (h * h)

    def invert(self, radius: np.ndarray) -> np.ndarray:
        xi, a, s = self._xi, self._alpha, radius * radius
        z = (1.0 - a * a * s) / (a * np.sqrt(1.0 - (2.0 * a - 1.0) * s) + 1.0 - a)
        along = (z * xi + np.sqrt(z * z + (1.0 - xi * xi) * s)) / (z * z + s)
        return _tangent(along * radius, along * z - xi)


def _tangent(across: np.ndarray, along: np.ndarray) -> np.ndarray:
    """tan(theta) of rays; NaN for those that do not look ahead."""
    return np.where(along > 0, across / np.where(along > 0, along, 1.0), np.nan)
