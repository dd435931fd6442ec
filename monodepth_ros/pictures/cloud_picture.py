# SPDX-License-Identifier: Apache-2.0
"""Pictures of a point cloud: to scale from above and from the side, and in perspective."""

from dataclasses import dataclass

import cv2
import numpy as np

from monodepth_ros.pictures.picture_sheet import BACKGROUND, PANEL_HEIGHT, with_caption

GRID_COLOR = (70, 70, 70)


@dataclass(frozen=True)
class CloudExtent:
    """The part of space in a cloud picture, in base axes (x forward, y left, z up), and the name of its unit."""

    forward: float = 45.0
    sideways: float = 12.0
    below: float = 4.0
    above: float = 16.0
    unit: str = "m"


def cloud_from_above(
    points: np.ndarray, colors: np.ndarray, extent: CloudExtent, height: int = PANEL_HEIGHT
) -> np.ndarray:
    """Bgr picture (height, W, 3) of points (N, 3) in base axes, looking down: forward is right, left is up.

    colors: uint8 rgb (N, 3). Higher points hide lower ones.
    """
    scale = height / (2 * extent.sideways)
    width = int(extent.forward * scale)
    # Points above the extent (trees over the road, sky) would hide the street.
    order = np.argsort(points[:, 2])
    order = order[points[order, 2] < extent.above]
    picture = _grid(width, height, scale, height / 2)
    _dots(picture, points[order, 0] * scale, height / 2 - points[order, 1] * scale, colors[order], 2)
    return with_caption(picture, f"cloud from above, grid 5 {extent.unit}")


def cloud_from_side(
    points: np.ndarray, colors: np.ndarray, extent: CloudExtent, height: int = PANEL_HEIGHT
) -> np.ndarray:
    """Bgr picture (height, W, 3) of points (N, 3) in base axes, looking left: forward is right, up is up."""
    scale = height / (extent.above + extent.below)
    width = int(extent.forward * scale)
    order = np.argsort(points[:, 1])[::-1]
    picture = _grid(width, height, scale, extent.above * scale)
    _dots(picture, points[order, 0] * scale, (extent.above - points[order, 2]) * scale, colors[order], 2)
    return with_caption(picture, f"from the side, grid 5 {extent.unit}")


# Position of the perspective picture's viewer, behind the camera, above it and to its left, and the point he looks at.
EYE = np.array((-6.5, 3.2, 4.8))
LOOKED_AT = np.array((11.0, -0.5, -0.4))
FOCAL = 1.25  # focal length, as a share of the picture's height


def cloud_in_perspective(
    points: np.ndarray, colors: np.ndarray, extent: CloudExtent, height: int = PANEL_HEIGHT
) -> np.ndarray:
    """Bgr picture (height, W, 3) of points (N, 3) in base axes, from behind and above the camera.

    colors: uint8 rgb (N, 3). A yellow pyramid marks the camera. Near points are larger, and hide far ones.
    """
    width = 5 * height // 3
    picture = np.full((height, width, 3), BACKGROUND, np.uint8)
    shown = (points[:, 0] < extent.forward) & (points[:, 2] < extent.above) & (points[:, 2] > -extent.below)
    u, v, distance = _seen_from_eye(points[shown], height, width)
    colors = colors[shown]
    order = np.argsort(distance)[::-1]
    u, v, distance, colors = u[order], v[order], distance[order], colors[order]
    sizes = np.clip(np.rint(0.12 * height / np.maximum(distance, 1.0)), 1, 4).astype(int)
    for size in range(1, 5):  # sizes rise as distances fall: far ones first
        of_size = sizes == size
        _dots(picture, u[of_size], v[of_size], colors[of_size], size)
    _draw_camera(picture)
    return with_caption(picture, "cloud")


def _seen_from_eye(points: np.ndarray, height: int, width: int) -> tuple[np.ndarray, ...]:
    """Pixels u, v and distance along the view direction of points (N, 3) in front of the eye."""
    forward = (LOOKED_AT - EYE) / np.linalg.norm(LOOKED_AT - EYE)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    seen = (points - EYE) @ np.stack((right, np.cross(forward, right), forward)).T
    depth = np.where(seen[:, 2] > 0.5, seen[:, 2], np.inf)
    focal = FOCAL * height
    u, v = width / 2 + focal * seen[:, 0] / depth, height / 2 + focal * seen[:, 1] / depth
    return np.where(np.isfinite(depth), u, -100.0), v, depth


def _draw_camera(picture: np.ndarray) -> None:
    corners = np.array([(0, 0, 0), (1, 0.9, 0.3), (1, -0.9, 0.3), (1, -0.9, -0.3), (1, 0.9, -0.3)], float)
    u, v, _ = _seen_from_eye(corners, *picture.shape[:2])
    at = [(round(x), round(y)) for x, y in zip(u, v)]
    for first, second in ((0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (2, 3), (3, 4), (4, 1)):
        cv2.line(picture, at[first], at[second], (80, 220, 255), 1, cv2.LINE_AA)


def _grid(width: int, height: int, scale: float, origin: float) -> np.ndarray:
    """An empty picture with a grid of 5 units; origin: row of the camera's height or axis."""
    picture = np.full((height, width, 3), BACKGROUND, np.uint8)
    step = 5.0 * scale
    for x in np.arange(0, width, step):
        cv2.line(picture, (int(x), 0), (int(x), height), GRID_COLOR, 1)
    for y in np.concatenate((np.arange(origin, height, step), np.arange(origin, 0, -step))):
        cv2.line(picture, (0, int(y)), (width, int(y)), GRID_COLOR, 1)
    return picture


def _dots(picture: np.ndarray, u: np.ndarray, v: np.ndarray, colors: np.ndarray, size: int) -> None:
    """Draw square dots of rgb colours in the given order; dots outside the picture are left out."""
    columns, rows = np.rint(u).astype(int), np.rint(v).astype(int)
    height, width = picture.shape[:2]
    inside = (columns >= 0) & (columns <= width - size) & (rows >= 0) & (rows <= height - size)
    columns, rows, bgr = columns[inside], rows[inside], colors[inside][:, ::-1]
    for offset in reversed(range(size * size)):
        picture[rows + offset // size, columns + offset % size] = bgr
