"""Pictures for people: a frame's input, depth and cloud side by side, row under row."""

from dataclasses import dataclass

import cv2
import numpy as np

PANEL_HEIGHT = 240
GRID_COLOR = (70, 70, 70)
TEXT_COLOR = (210, 210, 210)
BACKGROUND = 24


@dataclass(frozen=True)
class CloudExtent:
    """The part of space a cloud picture shows, in base axes (x forward, y left, z up), and the name of its unit."""

    forward: float = 45.0
    sideways: float = 12.0
    below: float = 4.0
    above: float = 16.0
    unit: str = "m"


def cloud_from_above(points: np.ndarray, colors: np.ndarray, extent: CloudExtent, height: int = PANEL_HEIGHT) -> np.ndarray:
    """Bgr picture (height, W, 3) of points (N, 3) in base axes, looking down: forward is right, left is up.

    colors: uint8 rgb (N, 3). The highest points are drawn last, as one would see them.
    """
    scale = height / (2 * extent.sideways)
    width = int(extent.forward * scale)
    # What is higher than the side view shows (trees over the road, sky) would hide the street.
    order = np.argsort(points[:, 2])
    order = order[points[order, 2] < extent.above]
    u, v = points[order, 0] * scale, height / 2 - points[order, 1] * scale
    return _plot(u, v, colors[order], width, height, scale, height / 2, f"from above, grid 5 {extent.unit}")


def cloud_from_side(points: np.ndarray, colors: np.ndarray, extent: CloudExtent, height: int = PANEL_HEIGHT) -> np.ndarray:
    """Bgr picture (height, W, 3) of points (N, 3) in base axes, looking left: forward is right, up is up."""
    scale = height / (extent.above + extent.below)
    width = int(extent.forward * scale)
    order = np.argsort(points[:, 1])[::-1]
    u, v = points[order, 0] * scale, (extent.above - points[order, 2]) * scale
    return _plot(u, v, colors[order], width, height, scale, extent.above * scale, f"from the side, grid 5 {extent.unit}")


def trajectory_from_above(positions: np.ndarray, height: int = PANEL_HEIGHT, width: int = 2 * PANEL_HEIGHT) -> np.ndarray:
    """Bgr picture (height, width, 3) of a path (N, 3) [m] from above, fitted to the picture: x is right, y is up."""
    picture = np.full((height, width, 3), BACKGROUND, np.uint8)
    low, high = positions[:, :2].min(axis=0), positions[:, :2].max(axis=0)
    span = np.maximum(high - low, 1.0)
    scale = 0.8 * min(width / span[0], height / span[1])
    pixels = (positions[:, :2] - (low + high) / 2) * (scale, -scale) + (width / 2, height / 2)
    cv2.polylines(picture, [np.rint(pixels).astype(np.int32)], False, (80, 200, 255), 2, cv2.LINE_AA)
    cv2.circle(picture, tuple(int(value) for value in np.rint(pixels[0])), 4, (120, 255, 120), -1, cv2.LINE_AA)
    length = float(np.linalg.norm(np.diff(positions, axis=0), axis=1).sum())
    return _label(picture, f"trajectory, {length:.1f} m")


def picture_sheet(rows: list[list[np.ndarray]], title: str) -> np.ndarray:
    """Bgr sheet of rows of bgr pictures, each row brought to one height, with a title line."""
    lines = []
    for row in rows:
        panels = [_fit(panel) for panel in row]
        lines.append(np.hstack(panels))
    width = max(line.shape[1] for line in lines)
    lines = [cv2.copyMakeBorder(line, 0, 4, 0, width - line.shape[1], cv2.BORDER_CONSTANT) for line in lines]
    head = np.full((30, width, 3), BACKGROUND, np.uint8)
    cv2.putText(head, title, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, TEXT_COLOR, 1, cv2.LINE_AA)
    return np.vstack([head, *lines])


def labelled(picture: np.ndarray, text: str) -> np.ndarray:
    """A copy of a bgr picture at panel height with a caption in its corner."""
    return _label(_fit(picture), text)


def _fit(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    if height == PANEL_HEIGHT:
        return picture
    size = (max(1, round(width * PANEL_HEIGHT / height)), PANEL_HEIGHT)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if height > PANEL_HEIGHT else cv2.INTER_LINEAR)


def _label(picture: np.ndarray, text: str) -> np.ndarray:
    result = picture.copy()
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)
    cv2.rectangle(result, (0, 0), (width + 12, 22), (BACKGROUND,) * 3, -1)
    cv2.putText(result, text, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, TEXT_COLOR, 1, cv2.LINE_AA)
    return result


def _plot(
    u: np.ndarray, v: np.ndarray, colors: np.ndarray, width: int, height: int, scale: float, origin: float, text: str
) -> np.ndarray:
    """Points drawn in the order given over a grid of 5 units; `origin`: the row of the camera's height or axis."""
    picture = np.full((height, width, 3), BACKGROUND, np.uint8)
    step = 5.0 * scale
    for x in np.arange(0, width, step):
        cv2.line(picture, (int(x), 0), (int(x), height), GRID_COLOR, 1)
    for y in np.concatenate((np.arange(origin, height, step), np.arange(origin, 0, -step))):
        cv2.line(picture, (0, int(y)), (width, int(y)), GRID_COLOR, 1)
    columns, rows = np.rint(u).astype(int), np.rint(v).astype(int)
    inside = (columns >= 0) & (columns < width - 1) & (rows >= 0) & (rows < height - 1)
    columns, rows, bgr = columns[inside], rows[inside], colors[inside][:, ::-1]
    for right, down in ((1, 1), (1, 0), (0, 1), (0, 0)):  # dots of 2x2 pixels
        picture[rows + down, columns + right] = bgr
    return _label(picture, text)
