# SPDX-License-Identifier: Apache-2.0
"""Sheets of pictures, such as input, depth and cloud of a frame, in rows with captions."""

import cv2
import numpy as np

from monodepth_ros.foreign_text import drawable

PANEL_HEIGHT = 180
GAP = 4
TEXT_COLOR = (210, 210, 210)
BACKGROUND = 24


def picture_sheet(rows: list[list[np.ndarray]], title: str, column: np.ndarray | None = None) -> np.ndarray:
    """Bgr sheet with a title and rows of bgr pictures of PANEL_HEIGHT; a depth picture may have its scale below.

    column: a picture of `column_height` rows to the right of all rows.
    """
    lines = [_line(row) for row in rows]
    width = max(line.shape[1] for line in lines)
    lines = [np.pad(line, ((0, 0), (0, width - line.shape[1]), (0, 0))) for line in lines]
    sheet = np.vstack(lines)
    if column is not None:
        below = sheet.shape[0] - column.shape[0]
        sheet = np.hstack([sheet, np.pad(column, ((0, below), (0, 0), (0, 0)))])
    head = np.full((30, sheet.shape[1], 3), BACKGROUND, np.uint8)
    write_text(head, title, (8, 20), size=0.5)
    return np.vstack([head, sheet])


def column_height(rows: list[list[np.ndarray]]) -> int:
    """Height [pixels] of a picture beside these rows."""
    return sum(_line(row).shape[0] for row in rows) - GAP


def labelled(picture: np.ndarray, text: str) -> np.ndarray:
    """A copy of a bgr picture at panel height with a caption in its corner."""
    return with_caption(_fit(picture), text)


def with_caption(picture: np.ndarray, text: str) -> np.ndarray:
    """A copy of a bgr picture with a caption in its corner."""
    result = picture.copy()
    (width, _), _ = cv2.getTextSize(drawable(text), cv2.FONT_HERSHEY_SIMPLEX, 0.42, 1)
    cv2.rectangle(result, (0, 0), (width + 12, 20), (BACKGROUND,) * 3, -1)
    write_text(result, text, (6, 15), size=0.42)
    return result


def write_text(
    picture: np.ndarray,
    text: str,
    position: tuple[int, int],
    *,
    size: float,
    color: tuple[int, int, int] = TEXT_COLOR,
) -> None:
    """Write on a bgr picture. position: left end of the base line (x, y); size: scale of OpenCV's font."""
    cv2.putText(
        picture,
        drawable(text),
        position,
        fontFace=cv2.FONT_HERSHEY_SIMPLEX,
        fontScale=size,
        color=color,
        thickness=1,
        lineType=cv2.LINE_AA,
    )


def _line(row: list[np.ndarray]) -> np.ndarray:
    """The pictures of a row side by side, with a gap to the right of each and below."""
    height = max(panel.shape[0] for panel in row)
    return np.hstack([np.pad(p, ((0, height - p.shape[0] + GAP), (0, GAP), (0, 0))) for p in row])


def _fit(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    if height == PANEL_HEIGHT:
        return picture
    size = (max(1, round(width * PANEL_HEIGHT / height)), PANEL_HEIGHT)
    filter = cv2.INTER_AREA if height > PANEL_HEIGHT else cv2.INTER_LINEAR
    return cv2.resize(picture, size, interpolation=filter)
