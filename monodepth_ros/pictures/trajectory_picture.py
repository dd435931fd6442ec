# SPDX-License-Identifier: Apache-2.0
"""A trajectory from above, beside the true one."""

import cv2
import numpy as np

from monodepth_ros.pictures.picture_sheet import BACKGROUND, PANEL_HEIGHT, TEXT_COLOR, with_caption

ESTIMATED = (80, 200, 255)
TRUE = (150, 150, 150)
MARGIN = 28  # pixels


def trajectory_from_above(
    positions: np.ndarray,
    height: int = 2 * PANEL_HEIGHT,
    width: int = PANEL_HEIGHT,
    truth: np.ndarray | None = None,
    marks: dict[str, np.ndarray] | None = None,
    unit: str = "m",
) -> np.ndarray:
    """Bgr picture (height, width, 3) of a path (N, 3) from above, fitted to the picture: x is up, y is left.

    truth: the true path (M, 3) in the same frame. marks: places (3,) by what is written beside them.
    """
    picture = np.full((height, width, 3), BACKGROUND, np.uint8)
    everything = positions if truth is None else np.vstack((positions, truth))
    low, high = everything[:, :2].min(axis=0), everything[:, :2].max(axis=0)
    span = np.maximum(high - low, 1.0)
    scale = min((height - 2 * MARGIN - 30) / span[0], (width - 2 * MARGIN) / span[1])

    def pixels(points: np.ndarray) -> np.ndarray:
        x, y = ((points[:, :2] - (low + high) / 2) * scale).T
        return np.rint(np.stack((width / 2 - y, height / 2 + 15 - x), axis=-1)).astype(np.int32)

    if truth is not None:
        cv2.polylines(picture, [pixels(truth)], False, TRUE, 2, cv2.LINE_AA)
    cv2.polylines(picture, [pixels(positions)], False, ESTIMATED, 2, cv2.LINE_AA)
    for text, place in (marks or {}).items():
        x, y = (int(value) for value in pixels(place[None])[0])
        cv2.circle(picture, (x, y), 3, ESTIMATED, -1, cv2.LINE_AA)
        cv2.putText(picture, text, (x + 7, y + 4), cv2.FONT_HERSHEY_SIMPLEX, 0.36, TEXT_COLOR, 1, cv2.LINE_AA)
    start = tuple(int(value) for value in pixels(positions[:1])[0])
    cv2.circle(picture, start, 4, (120, 255, 120), -1, cv2.LINE_AA)
    picture = with_caption(picture, f"trajectory, {length(positions):.0f} {unit}")
    if truth is not None:
        text = f"truth, {length(truth):.0f} {unit.split()[0]}"
        cv2.putText(picture, text, (6, 33), cv2.FONT_HERSHEY_SIMPLEX, 0.42, TRUE, 1, cv2.LINE_AA)
    return picture


def length(positions: np.ndarray) -> float:
    """Length of a path (N, 3), in its unit."""
    return float(np.linalg.norm(np.diff(positions, axis=0), axis=1).sum())
