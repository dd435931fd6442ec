# SPDX-License-Identifier: Apache-2.0
"""The cloud of a run from above, with the path of the odometry."""

import cv2
import numpy as np

from monodepth_ros.pictures.picture_sheet import BACKGROUND, with_caption
from monodepth_ros.pictures.plot_grid import PixelAxis, draw_grid, draw_values

PATH = (80, 200, 255)
_MARGIN = 12


def map_picture(
    points: np.ndarray, positions: np.ndarray, unit: str, width: int = 960, height: int = 520
) -> np.ndarray:
    """Bgr picture (height, width, 3), fitted: x to the right, y up, lower points over higher ones.

    points: (N,) of PLY_DTYPE with z up. positions: (M, 3), the path, drawn over them.
    """
    picture = np.full((height, width, 3), BACKGROUND, np.uint8)
    xyz = np.stack([points[name] for name in "xyz"], axis=-1)
    # Fit most points, so that a few distant ones do not make all the rest small.
    low, high = np.percentile(xyz[:, :2], (1, 99), axis=0)
    if len(positions):
        low, high = np.minimum(low, positions[:, :2].min(axis=0)), np.maximum(high, positions[:, :2].max(axis=0))
    span = np.maximum(high - low, 1e-6)
    scale = min((width - 2 * _MARGIN) / span[0], (height - 2 * _MARGIN) / span[1])
    middle = (low + high) / 2

    def pixels(places: np.ndarray) -> np.ndarray:
        return np.rint((places[:, :2] - middle) * (scale, -scale) + (width / 2, height / 2)).astype(int)

    columns = PixelAxis(width / 2 - middle[0] * scale, scale)
    rows = PixelAxis(height / 2 + middle[1] * scale, -scale)
    step = draw_grid(picture, columns, rows)
    # Draw from high to low: trees and wires would hide the street, and facades show only their edge from above.
    order = np.argsort(xyz[:, 2])[::-1]
    u, v = pixels(xyz[order]).T
    colors = np.stack([points[name][order] for name in ("blue", "green", "red")], axis=-1)
    inside = (u >= 0) & (u < width) & (v >= 0) & (v < height)
    picture[v[inside], u[inside]] = colors[inside]
    if len(positions) > 1:
        cv2.polylines(picture, [pixels(positions).astype(np.int32)], False, PATH, 2, cv2.LINE_AA)
    draw_values(picture, columns, rows, step, top=30)
    return with_caption(picture, f"x to the right, y up, grid {step:g} {unit}")
