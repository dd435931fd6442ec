# SPDX-License-Identifier: Apache-2.0
"""Pictures of a few frames of a run, evenly spread over a run of any length."""

from dataclasses import dataclass

import cv2
import numpy as np

from monodepth_ros.pictures.color_picture import color_limits, color_picture
from monodepth_ros.pictures.depth_scale import with_depth_scale
from monodepth_ros.pictures.error_picture import error_picture, relative_error

MOST = 6
_JPEG_QUALITY = 85
_WIDTH = 640


@dataclass(frozen=True)
class FramePictures:
    """JPEG data of one frame by caption, in the order of the row."""

    name: str
    seconds: float
    pictures: dict[str, bytes]


class PictureSampler:
    """Keeps the pictures of at most 2 * MOST frames: of every frame at first, then of every second, and so on."""

    def __init__(self) -> None:
        self._kept: list[tuple[int, FramePictures]] = []
        self._stride = 1

    def wants(self, index: int) -> bool:
        """Whether to keep the frame with this index."""
        return index % self._stride == 0

    def add(self, index: int, pictures: FramePictures) -> None:
        """Keep a frame's pictures."""
        self._kept.append((index, pictures))
        if len(self._kept) > 2 * MOST:
            self._stride *= 2
            self._kept = [item for item in self._kept if item[0] % self._stride == 0]

    def chosen(self) -> list[FramePictures]:
        """At most MOST of the kept frames, the first and the last included."""
        if not self._kept:
            return []
        picks = np.unique(np.linspace(0, len(self._kept) - 1, MOST).round().astype(int))
        return [self._kept[i][1] for i in picks]


def pictures_of(
    rgb: np.ndarray,
    depth: np.ndarray,
    unit: str,
    truth: np.ndarray | None,
    seen_there: np.ndarray | None,
) -> dict[str, bytes]:
    """Input and depth, and ground truth and error if there is ground truth.

    rgb: (H, W, 3). depth: (H, W) [unit]. truth: (H', W') [unit]; seen_there: the depth at the pixels of the ground
    truth, (H', W').
    """
    limits = color_limits(depth)
    colors = _sized(color_picture(depth, limits))
    pictures = {"input": jpeg(rgb[..., ::-1]), "depth": jpeg(with_depth_scale(colors, limits, unit))}
    if truth is not None:
        colors = _sized(_grown(color_picture(truth, limits), np.isfinite(truth)))
        pictures["ground truth"] = jpeg(with_depth_scale(colors, limits, unit))
        error = relative_error(truth, seen_there)
        pictures["relative error"] = jpeg(_grown(error_picture(error), ~np.isnan(error)))
    return pictures


def jpeg(picture: np.ndarray) -> bytes:
    """A bgr picture as JPEG, of the width that the page needs."""
    picture = _sized(picture)
    return cv2.imencode(".jpg", np.ascontiguousarray(picture), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()


def _sized(picture: np.ndarray) -> np.ndarray:
    """The picture at the width of the page's figures, so that text on it has one size; never made larger than twice."""
    height, width = picture.shape[:2]
    wanted = min(_WIDTH, 2 * width)
    if width == wanted:
        return picture
    filter = cv2.INTER_AREA if width > wanted else cv2.INTER_LINEAR
    return cv2.resize(picture, (wanted, max(1, round(height * wanted / width))), interpolation=filter)


def _grown(picture: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The picture with single points, such as those of a LiDAR, enlarged; a dense picture stays as it is."""
    if known.mean() > 0.5:
        return picture
    background = np.full_like(picture, 24)
    kernel = np.ones((5, 5), np.uint8)
    masked = np.where(known[..., None], picture, 0).astype(np.uint8)
    grown = np.where(known[..., None], picture, cv2.dilate(masked, kernel))
    near = cv2.dilate(known.astype(np.uint8), kernel).astype(bool)
    return np.where(near[..., None], grown, background)
