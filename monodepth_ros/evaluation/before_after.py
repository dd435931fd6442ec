"""Depth before and after a training, side by side, for people."""

from collections.abc import Sequence

import cv2
import numpy as np

from monodepth_ros.evaluation.picture_sheet import labelled, picture_sheet
from monodepth_ros.pipeline.color_view import color_view


def before_after_sheet(
    images: Sequence[np.ndarray],
    before: Sequence[np.ndarray],
    after: Sequence[np.ndarray],
    title: str,
    truth: Sequence[np.ndarray | None] = (),
) -> np.ndarray:
    """Bgr sheet, a row for each frame: rgb image (H, W, 3), depth (h, w) before and after, exact depth where there is some."""
    rows = []
    for index, image in enumerate(images):
        row = [labelled(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), "camera")]
        row += [labelled(color_view(before[index]), "depth before"), labelled(color_view(after[index]), "depth after")]
        if truth and truth[index] is not None:
            row.append(labelled(color_view(truth[index]), "exact depth"))
        rows.append(row)
    return picture_sheet(rows, title)
