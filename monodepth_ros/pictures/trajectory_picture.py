# SPDX-License-Identifier: Apache-2.0
"""A trajectory from above, with its reference."""

import cv2
import numpy as np

from monodepth_ros.geometry.pose_array import travelled
from monodepth_ros.pictures.picture_sheet import BACKGROUND, PANEL_HEIGHT, with_caption, write_text
from monodepth_ros.pictures.plot_grid import AXIS_TEXT, PixelAxis, draw_grid, draw_values

ESTIMATED = (80, 200, 255)
REFERENCE = (150, 150, 150)
MARGIN = 30  # pixels
HEAD, LINE = 24, 15  # pixels: height of the caption, and of every further line of text


def trajectory_from_above(
    positions: np.ndarray,
    height: int = 2 * PANEL_HEIGHT,
    width: int = PANEL_HEIGHT,
    reference: np.ndarray | None = None,
    marks: dict[str, np.ndarray] | None = None,
    unit: str = "m",
) -> np.ndarray:
    """Bgr picture (height, width, 3) of a path (N, 3) from above, fitted to the picture: x is up, y is left.

    A grid shows the scale. reference: the reference path (M, 3) in the same frame. marks: positions (3,) to mark, by
    label.
    """
    picture = np.full((height, width, 3), BACKGROUND, np.uint8)
    everything = positions if reference is None else np.vstack((positions, reference))
    low, high = everything[:, :2].min(axis=0), everything[:, :2].max(axis=0)
    # A camera that stands still is a point, not a wild path.
    span = np.maximum(high - low, 1.0 if unit.startswith("m") else 1e-3)
    lines = [(f"{_length(positions)} {unit}", ESTIMATED)]
    if reference is not None:
        lines.append((f"reference {_length(reference)} {unit.split(' (')[0]}", REFERENCE))
    lines.append(("x up, y left", AXIS_TEXT))
    head = HEAD + LINE * len(lines)
    scale = min((height - MARGIN - head) / span[0], (width - 2 * MARGIN) / span[1])
    middle, centre = (low + high) / 2, ((height + head - MARGIN) / 2, width / 2)
    columns = PixelAxis(centre[1] + middle[1] * scale, -scale)
    rows = PixelAxis(centre[0] + middle[0] * scale, -scale)
    draw_values(picture, columns, rows, draw_grid(picture, columns, rows), top=head + 10)

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
    picture = with_caption(picture, "trajectory")
    for number, (text, color) in enumerate(lines):
        write_text(picture, text, (6, HEAD + 10 + LINE * number), size=0.4, color=color)
    return picture


def _length(positions: np.ndarray) -> str:
    """The length of a path with three digits or whole units."""
    length = float(travelled(positions)[-1])
    return f"{length:.0f}" if length >= 100 else f"{length:.3g}"
