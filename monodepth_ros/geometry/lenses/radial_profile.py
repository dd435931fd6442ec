# SPDX-License-Identifier: Apache-2.0
"""Radial profiles g(q) = q N(q^2) / M(q^2): value, slope, domain and inverse."""

from typing import Any

import numpy as np
from numpy.polynomial import Polynomial

Profile = tuple[list[float], list[float]]  # coefficients of N and M in ascending powers of q^2
NEWTON_STEPS = 60


def _horner(coefficients: list[float], s: Any) -> Any:
    value = coefficients[-1] + 0.0 * s
    for coefficient in reversed(coefficients[:-1]):
        value = value * s + coefficient
    return value


def _derivative(coefficients: list[float]) -> list[float]:
    return [power * value for power, value in enumerate(coefficients)][1:] or [0.0]


def radial_factor(profile: Profile, s: Any) -> tuple[Any, Any]:
    """The factor f = N(s)/M(s) at s = q^2 and its derivative df/ds; numpy or torch."""
    n, m = _horner(profile[0], s), _horner(profile[1], s)
    dn, dm = _horner(_derivative(profile[0]), s), _horner(_derivative(profile[1]), s)
    return n / m, (dn * m - n * dm) / (m * m)


def rising_limit(profile: Profile) -> float:
    """The q below which the profile rises: its first extremum or pole; infinite if there is none."""
    n, m = map(Polynomial, profile)
    slope = n * m + 2 * Polynomial([0.0, 1.0]) * (n.deriv() * m - n * m.deriv())
    roots = np.concatenate([_roots(slope), _roots(m)])
    positive = roots.real[(np.abs(roots.imag) <= 1e-9 * np.abs(roots)) & (roots.real > 0)]
    return float(np.sqrt(positive.min())) if positive.size else np.inf


def _roots(polynomial: Polynomial) -> np.ndarray:
    """Roots of a polynomial in q^2, without those where dividing by its last coefficient would overflow."""
    size = np.abs(polynomial.coef).max()
    return polynomial.trim(1e-100 * size).roots()


def invert_profile(radius: np.ndarray, profile: Profile, limit: float) -> np.ndarray:
    """q (N,) with g(q) = radius, by Newton steps in a shrinking bracket; near the limit where there is none."""
    reach = np.max(radius[np.isfinite(radius)], initial=0.0)
    top = np.float64(limit)  # not a Python float, which would raise an exception at a pole
    if not np.isfinite(limit):
        top = np.float64(1.0)
        while top < 1e12 and top * radial_factor(profile, top * top)[0] < reach:
            top *= 2.0
    q = np.where(np.isfinite(radius), 0.999 * top, np.nan)
    edge = top * radial_factor(profile, top * top)[0]
    if not edge > 0:  # a pole: the profile reaches every radius
        edge = np.inf
    active = np.flatnonzero(radius < edge)
    low, high = np.zeros(active.size), np.full(active.size, top)
    now = np.minimum(radius[active], 0.5 * top)
    for _ in range(NEWTON_STEPS):
        s = now * now
        f, df = radial_factor(profile, s)
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
