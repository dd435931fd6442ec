# SPDX-License-Identifier: Apache-2.0
"""Curves as inline SVG: a page that opens from disk needs nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

COLORS = ("#0b6bcb", "#d9480f", "#2b8a3e", "#862e9c")
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 12, 30, 40
_MOST_POINTS = 1500


@dataclass(frozen=True)
class Curve:
    """A named line through points; NaN interrupts it."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


def svg_chart(
    title: str,
    x_label: str,
    y_label: str,
    curves: Sequence[Curve],
    width: int = 560,
    height: int = 240,
    equal: bool = False,
) -> str:
    """An <svg> element with axes, ticks and a legend where there are several curves.

    equal: both axes have the same scale (a map). Empty text if there is nothing finite to draw.
    """
    finite = [np.isfinite(np.asarray(c.x, float)) & np.isfinite(np.asarray(c.y, float)) for c in curves]
    x = np.concatenate([np.asarray(c.x, float)[f] for c, f in zip(curves, finite)] or [np.empty(0)])
    y = np.concatenate([np.asarray(c.y, float)[f] for c, f in zip(curves, finite)] or [np.empty(0)])
    if x.size < 2:
        return ""
    x_limits, y_limits = _limits(x), _limits(y) if equal else _limits(np.append(y, 0.0))
    plot_width, plot_height = width - _LEFT - _RIGHT, height - _TOP - _BOTTOM
    if equal:
        x_limits, y_limits = _equalized(x_limits, y_limits, plot_width / plot_height)

    def at(values: np.ndarray, limits: tuple[float, float], size: int) -> np.ndarray:
        return (values - limits[0]) / (limits[1] - limits[0]) * size

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" '
        'role="img" font-family="sans-serif" font-size="11" fill="#444">',
        f'<text x="{_LEFT}" y="16" font-size="13" fill="#111">{escape(title)}</text>',
        f'<rect x="{_LEFT}" y="{_TOP}" width="{plot_width}" height="{plot_height}" fill="none" stroke="#bbb"/>',
    ]
    for value in ticks(*x_limits):
        u = _LEFT + at(np.float64(value), x_limits, plot_width)
        parts.append(f'<line x1="{u:.1f}" y1="{_TOP}" x2="{u:.1f}" y2="{_TOP + plot_height}" stroke="#eee"/>')
        parts.append(f'<text x="{u:.1f}" y="{_TOP + plot_height + 14}" text-anchor="middle">{value:g}</text>')
    for value in ticks(*y_limits):
        v = _TOP + plot_height - at(np.float64(value), y_limits, plot_height)
        parts.append(f'<line x1="{_LEFT}" y1="{v:.1f}" x2="{_LEFT + plot_width}" y2="{v:.1f}" stroke="#eee"/>')
        parts.append(f'<text x="{_LEFT - 5}" y="{v + 4:.1f}" text-anchor="end">{value:g}</text>')
    parts.append(
        f'<text x="{_LEFT + plot_width / 2}" y="{height - 8}" text-anchor="middle">{escape(x_label)}</text>'
        f'<text transform="translate(13 {_TOP + plot_height / 2}) rotate(-90)" '
        f'text-anchor="middle">{escape(y_label)}</text>'
    )
    legend = width - _RIGHT
    for curve, mask, color in reversed(list(zip(curves, finite, COLORS))):
        u = _LEFT + at(np.asarray(curve.x, float), x_limits, plot_width)
        v = _TOP + plot_height - at(np.asarray(curve.y, float), y_limits, plot_height)
        for run in _runs(mask):
            step = max(1, len(run) // _MOST_POINTS)
            points = " ".join(f"{u[i]:.1f},{v[i]:.1f}" for i in run[::step])
            parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.6"/>')
        if len(curves) > 1:
            parts.append(f'<text x="{legend}" y="16" text-anchor="end" fill="{color}">{escape(curve.name)}</text>')
            legend -= 7 * len(curve.name) + 14
    return "\n".join([*parts, "</svg>"])


def ticks(low: float, high: float, count: int = 6) -> list[float]:
    """About `count` round numbers (1, 2 or 5 times a power of ten apart) from low to high."""
    raw = (high - low) / count
    power = 10.0 ** np.floor(np.log10(raw))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= raw)
    first = np.ceil(low / step - 1e-9)
    return [float(np.round(i * step, 12)) + 0.0 for i in np.arange(first, np.floor(high / step + 1e-9) + 1)]


def _limits(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if low == high:
        return low - 0.5, high + 0.5
    margin = 0.05 * (high - low)
    return (low if low == 0 else low - margin), (high if high == 0 else high + margin)


def _equalized(
    x: tuple[float, float], y: tuple[float, float], aspect: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """The limits widened so that a unit is as long on both axes; aspect: width / height of the plot."""
    span = max(x[1] - x[0], (y[1] - y[0]) * aspect)
    middle_x, middle_y = (x[0] + x[1]) / 2, (y[0] + y[1]) / 2
    return (middle_x - span / 2, middle_x + span / 2), (
        middle_y - span / aspect / 2,
        middle_y + span / aspect / 2,
    )


def _runs(mask: np.ndarray) -> list[np.ndarray]:
    """Indices of consecutive true values, run by run."""
    indices = np.flatnonzero(mask)
    return [run for run in np.split(indices, np.flatnonzero(np.diff(indices) > 1) + 1) if run.size]
