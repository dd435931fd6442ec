# SPDX-License-Identifier: Apache-2.0
"""Charts of curves as inline SVG, for pages that open from disk."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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


@dataclass(frozen=True)
class _Axes:
    """The frame of a chart and its mapping from values to pixels."""

    width: int
    height: int
    x_limits: tuple[float, float]
    y_limits: tuple[float, float]

    @property
    def plot_width(self) -> int:
        return self.width - _LEFT - _RIGHT

    @property
    def plot_height(self) -> int:
        return self.height - _TOP - _BOTTOM

    def u(self, x: np.ndarray) -> np.ndarray:
        """Columns of values on the x axis."""
        return _LEFT + (x - self.x_limits[0]) / (self.x_limits[1] - self.x_limits[0]) * self.plot_width

    def v(self, y: np.ndarray) -> np.ndarray:
        """Rows of values on the y axis."""
        share = (y - self.y_limits[0]) / (self.y_limits[1] - self.y_limits[0])
        return _TOP + self.plot_height - share * self.plot_height


def svg_chart(
    title: str,
    x_label: str,
    y_label: str,
    curves: Sequence[Curve],
    width: int = 560,
    height: int = 240,
    equal: bool = False,
) -> str:
    """An <svg> element with axes, ticks and, for several curves, a legend.

    equal: both axes have the same scale (a map). Empty text if there is nothing finite to draw.
    """
    finite = [np.isfinite(np.asarray(c.x, float)) & np.isfinite(np.asarray(c.y, float)) for c in curves]
    x = np.concatenate([np.asarray(c.x, float)[f] for c, f in zip(curves, finite)] or [np.empty(0)])
    y = np.concatenate([np.asarray(c.y, float)[f] for c, f in zip(curves, finite)] or [np.empty(0)])
    if x.size < 2:
        return ""
    axes = _Axes(width, height, _limits(x), _limits(y) if equal else _limits(np.append(y, 0.0)))
    if equal:
        axes = _equalized(axes)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" '
        'role="img" font-family="sans-serif" font-size="11" fill="#444">',
        f'<text x="{_LEFT}" y="16" font-size="13" fill="#111">{escape(title)}</text>',
        *_frame(axes, x_label, y_label),
    ]
    legend = width - _RIGHT
    for curve, mask, color in reversed(list(zip(curves, finite, COLORS))):
        parts += _lines(axes, curve, mask, color)
        if len(curves) > 1:
            parts.append(f'<text x="{legend}" y="16" text-anchor="end" fill="{color}">{escape(curve.name)}</text>')
            legend -= 7 * len(curve.name) + 14
    return "\n".join([*parts, "</svg>"])


def _frame(axes: _Axes, x_label: str, y_label: str) -> list[str]:
    """The box of the plot, its grid, and the labels of both axes."""
    width, height = axes.plot_width, axes.plot_height
    parts = [f'<rect x="{_LEFT}" y="{_TOP}" width="{width}" height="{height}" fill="none" stroke="#bbb"/>']
    for value in ticks(*axes.x_limits):
        u = axes.u(np.float64(value))
        parts.append(f'<line x1="{u:.1f}" y1="{_TOP}" x2="{u:.1f}" y2="{_TOP + height}" stroke="#eee"/>')
        parts.append(f'<text x="{u:.1f}" y="{_TOP + height + 14}" text-anchor="middle">{value:g}</text>')
    for value in ticks(*axes.y_limits):
        v = axes.v(np.float64(value))
        parts.append(f'<line x1="{_LEFT}" y1="{v:.1f}" x2="{_LEFT + width}" y2="{v:.1f}" stroke="#eee"/>')
        parts.append(f'<text x="{_LEFT - 5}" y="{v + 4:.1f}" text-anchor="end">{value:g}</text>')
    parts.append(
        f'<text x="{_LEFT + width / 2}" y="{axes.height - 8}" text-anchor="middle">{escape(x_label)}</text>'
        f'<text transform="translate(13 {_TOP + height / 2}) rotate(-90)" '
        f'text-anchor="middle">{escape(y_label)}</text>'
    )
    return parts


def _lines(axes: _Axes, curve: Curve, mask: np.ndarray, color: str) -> list[str]:
    """The finite runs of a curve."""
    u, v = axes.u(np.asarray(curve.x, float)), axes.v(np.asarray(curve.y, float))
    lines = []
    for run in _runs(mask):
        step = max(1, len(run) // _MOST_POINTS)
        points = " ".join(f"{u[i]:.1f},{v[i]:.1f}" for i in run[::step])
        lines.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.6"/>')
    return lines


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


def _equalized(axes: _Axes) -> _Axes:
    """The axes with limits widened so that a unit has the same length on both."""
    (left, right), (bottom, top) = axes.x_limits, axes.y_limits
    aspect = axes.plot_width / axes.plot_height
    span = max(right - left, (top - bottom) * aspect)
    x, y = (left + right) / 2, (bottom + top) / 2
    x_limits, y_limits = (x - span / 2, x + span / 2), (y - span / aspect / 2, y + span / aspect / 2)
    return replace(axes, x_limits=x_limits, y_limits=y_limits)


def _runs(mask: np.ndarray) -> list[np.ndarray]:
    """Indices of the consecutive true values of each run."""
    indices = np.flatnonzero(mask)
    return [run for run in np.split(indices, np.flatnonzero(np.diff(indices) > 1) + 1) if run.size]
