# SPDX-License-Identifier: Apache-2.0
"""Pictures of the relative error of a depth image, with a legend."""

import cv2
import numpy as np

from monodepth_ros.pictures.picture_sheet import write_text

# Errors from here on have the same colour.
ERROR_RANGE = 0.5
NO_TRUTH = (128, 128, 128)
NO_PREDICTION = (0, 0, 0)


def relative_error(truth: np.ndarray, predicted: np.ndarray, max_depth: float = 80.0) -> np.ndarray:
    """|d - g| / g, float32 (H, W), of depth [m] against ground truth g [m], both (H, W).

    As in the metrics, d is clamped to max_depth, and ground truth that is not positive, not finite or beyond max_depth
    is missing. NaN without ground truth, +Inf without a prediction.
    """
    compared = np.isfinite(truth) & (truth > 0) & (truth < max_depth)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.abs(np.clip(predicted, 0.0, max_depth) - truth) / truth
    error = np.where(np.isnan(predicted), np.inf, error)
    return np.where(compared, error, np.nan).astype(np.float32)


def error_picture(error: np.ndarray) -> np.ndarray:
    """Bgr picture (H, W, 3) of relative errors (H, W): blue is 0, dark red is ERROR_RANGE and more.

    Grey without ground truth (NaN), black without a prediction (+Inf).
    """
    share = np.clip(np.nan_to_num(error, nan=0.0, posinf=0.0) / ERROR_RANGE, 0.0, 1.0)
    picture = _colors(np.rint(255 * share).astype(np.uint8))
    picture[np.isnan(error)] = NO_TRUTH
    picture[np.isposinf(error)] = NO_PREDICTION
    return picture


def with_legend(picture: np.ndarray) -> np.ndarray:
    """A copy of an error picture with a colour bar in its lower right corner; unchanged if it is too small for one."""
    result = picture.copy()
    height, width = result.shape[:2]
    bar_width, bar_height, text_width = 110, 9, 74
    box_width, box_height = bar_width + text_width + 20, 30
    if width < box_width or height < box_height:
        return result
    left, top = width - box_width, height - box_height
    result[top:, left:] = 24
    ramp = np.linspace(0, 255, bar_width).astype(np.uint8)[None].repeat(bar_height, axis=0)
    result[top + 4 : top + 4 + bar_height, left + 8 : left + 8 + bar_width] = _colors(ramp)
    swatch = left + bar_width + 16
    result[top + 4 : top + 4 + bar_height, swatch : swatch + 14] = NO_TRUTH

    def write(text: str, x: int) -> None:
        write_text(result, text, (x, height - 6), size=0.32)

    write("0", left + 8)
    write(f"{50 * ERROR_RANGE:.0f} %", left + 50)
    write(f">= {100 * ERROR_RANGE:.0f} %", left + 86)
    write("no truth", swatch + 14)
    return result


def _colors(grey: np.ndarray) -> np.ndarray:
    return cv2.applyColorMap(grey, cv2.COLORMAP_TURBO)
