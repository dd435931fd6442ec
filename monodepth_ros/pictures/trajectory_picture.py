# SPDX-License-Identifier: Apache-2.0
"""A trajectory from above, with its reference."""

import cv2
import numpy as np

from monodepth_ros.geometry.pose_array import travelled
from monodepth_ros.pictures.picture_sheet import BACKGROUND, PANEL_HEIGHT, with_caption, write_text
from monodepth_ros.pictures.plot_grid import PixelAxis, draw_grid

ESTIMATED = (80, 200, 255)
REFERENCE = (150, 150, 150)
MARGIN = 30  # pixels
HEAD = 40  # pixels for the lines of text


def trajectory_from_above(
    positions: np.ndarray,
    height: int = 2 * PANEL_HEIGHT,
    width: int = PANEL_HEIGHT,
    reference: np.ndarray | None = None,
    marks: dict[str, np.ndarray] | None = None,
    unit: str = "m",
) -> np.ndarray:
    """Bgr picture (height, width, 3) of a path (N, 3) from above, fitted to the picture: x is up, y is left.

    A grid shows the scale. reference: the reference path (M, 3) in the same frame. marks: positions (3,) to label, by label.
    """
    picture = np.full((height, width, 3), BACKGROUND, np.uint8)
    everything = positions if reference is None else np.vstack((positions, reference))
    low, high = everything[:, :2].min(axis=0), everything[:, :2].max(axis=0)
    # A camera that stands still is a point, not a wild path.
    span = np.maximum(high - low, 1.0 if unit.startswith("m") else 1e-3)
    scale = min((height - MARGIN - HEAD - 10) / span[0], (width - 2 * MARGIN) / span[1])
    middle, centre = (low + high) / 2, ((height + HEAD - MARGIN + 10) / 2, width / 2)
    step = draw_grid(
        picture, PixelAxis(centre[1] + middle[1] * scale, -scale), PixelAxis(centre[0] + middle[0] * scale, -scale)
    )

    def pixels(points: np.ndarray) -> np.ndarray:
        x, y = ((points[:, :2] - middle) * scale).T
        return np.rint(np.stack((centre[1] - y, centre[0] - x), axis=-1)).astype(np.int32)

    if reference is not None:
        cv2.polylines(picture, [pixels(reference)], False, REFERENCE, 2, cv2.LINE_AA)
    cv2.polylines(picture, [pixels(positions)], False, ESTIMATED, 2, cv2.LINE_AA)
    for text, place in (marks or {}).items():
        x, y = (int(value) for value in pixels(place[None])[0])
        cv2.circle(picture, (x, y), 3, ESTIMATED, -1, cv2.LINE_AA)
        write_text(picture, text, (x + 7, y + 4), size=0.36)
    start = tuple(int(value) for value in pixels(positions[:1])[0])
    cv2.circle(picture, start, 4, (120, 255, 120), -1, cv2.LINE_AA)
    picture = with_caption(picture, f"trajectory, {_length(positions)} {unit}, grid {step:g}")
    if reference is not None:
        text = f"reference, {_length(reference)} {unit.split(' (')[0]}"
        write_text(picture, text, (6, 33), size=0.42, color=REFERENCE)
    return picture


def _length(positions: np.ndarray) -> str:
    """The length of a path with three digits or whole units."""
    length = float(travelled(positions)[-1])
    return f"{length:.0f}" if length >= 100 else f"{length:.3g}"
