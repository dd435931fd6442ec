# SPDX-License-Identifier: Apache-2.0
"""Depth errors by the protocol of Eigen et al. 2014, as in the tables for KITTI."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np

from monodepth_ros.errors import MonodepthError

CROPS = ("garg", "none")
SCALINGS = ("median", "none")
# Garg et al. 2016: shares of the height (top, bottom) and of the width (left, right).
GARG_ROWS = (0.40810811, 0.99189189)
GARG_COLUMNS = (0.03594771, 0.96405229)


class EvaluationError(MonodepthError):
    """Depth maps or trajectories that cannot be compared."""


@dataclass(frozen=True)
class DepthMetrics:
    """Errors of one image, or their mean over images; g is the ground truth, p the prediction, in metres."""

    abs_rel: float
    """mean(|g - p| / g)"""
    sq_rel: float
    """mean((g - p)^2 / g), metres"""
    rmse: float
    """sqrt(mean((g - p)^2)), metres"""
    rmse_log: float
    """sqrt(mean((ln g - ln p)^2))"""
    a1: float
    """Share of pixels with max(g / p, p / g) < 1.25"""
    a2: float
    """The same below 1.25^2"""
    a3: float
    """The same below 1.25^3"""
    scale_ratio: float
    """median(g) / median(p) before any scaling"""
    coverage: float
    """Share of the ground-truth pixels with a prediction; the errors are means over these"""


def evaluate_depth(
    ground_truth: np.ndarray,
    prediction: np.ndarray,
    min_depth: float = 1e-3,
    max_depth: float = 80.0,
    crop: str = "garg",
    scaling: str = "median",
    cap_ground_truth: bool = True,
) -> DepthMetrics:
    """Errors of one depth map, in float64.

    Both maps are (H, W) metres at the size of the ground truth: resize the prediction with
    `networks.disparity.depth_at_size`, never the ground truth. Ground truth that is not finite or not positive is
    missing. In the prediction, NaN is missing and infinity is far. The compared pixels are those strictly between
    min_depth and max_depth (all of them without cap_ground_truth, as for the improved KITTI ground truth), within
    Garg's crop for crop 'garg'. For scaling 'median' the prediction is multiplied by the ratio of the medians over the
    compared pixels. Last, it is clamped to [min_depth, max_depth]. EvaluationError if there is nothing to compare.
    """
    _check_choice("crop", crop, CROPS)
    _check_choice("scaling", scaling, SCALINGS)
    ground_truth, prediction = np.asarray(ground_truth), np.asarray(prediction)
    if ground_truth.ndim != 2 or ground_truth.shape != prediction.shape:
        raise EvaluationError(
            f"ground truth {ground_truth.shape} and prediction {prediction.shape} must be (H, W) of one size;"
            " resize the prediction"
        )
    if crop == "garg":
        window = garg_crop(*ground_truth.shape)
        ground_truth, prediction = ground_truth[window], prediction[window]
    mask = np.isfinite(ground_truth) & (ground_truth > 0)
    if cap_ground_truth:
        mask &= (ground_truth > min_depth) & (ground_truth < max_depth)
    covered = mask & ~np.isnan(prediction)
    if not covered.any():
        raise EvaluationError(
            f"no pixel has both ground truth ({int(mask.sum())} pixels within {min_depth:g} to"
            f" {max_depth:g} m) and a prediction; leave this image out"
        )
    truth = ground_truth[covered].astype(np.float64)
    predicted = prediction[covered].astype(np.float64)
    median = np.median(predicted)
    ratio = float(np.median(truth) / median) if median > 0 else float("nan")
    if scaling == "median":
        if not np.isfinite(ratio) or ratio == 0:
            raise EvaluationError(f"the median of the prediction is {median:g}, expected a positive depth")
        predicted = predicted * ratio
    coverage = float(covered.sum() / mask.sum())
    return _errors(truth, predicted.clip(min_depth, max_depth), ratio, coverage)


def _errors(truth: np.ndarray, predicted: np.ndarray, ratio: float, coverage: float) -> DepthMetrics:
    """The errors of depths (N,) [m]."""
    worst = np.maximum(truth / predicted, predicted / truth)
    difference = truth - predicted
    return DepthMetrics(
        abs_rel=float((np.abs(difference) / truth).mean()),
        sq_rel=float((difference**2 / truth).mean()),
        rmse=float(np.sqrt((difference**2).mean())),
        rmse_log=float(np.sqrt(((np.log(truth) - np.log(predicted)) ** 2).mean())),
        a1=float((worst < 1.25).mean()),
        a2=float((worst < 1.25**2).mean()),
        a3=float((worst < 1.25**3).mean()),
        scale_ratio=ratio,
        coverage=coverage,
    )


def mean_metrics(metrics: Sequence[DepthMetrics]) -> DepthMetrics:
    """Mean over images; every image has the same weight, independent of its number of pixels."""
    if not metrics:
        raise EvaluationError("no image was evaluated; expected at least one with ground truth")
    return DepthMetrics(*np.mean([astuple(item) for item in metrics], axis=0).tolist())


def garg_crop(height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of the crop of Garg et al. 2016; borders are truncated to whole pixels."""
    top, bottom = (int(share * height) for share in GARG_ROWS)
    left, right = (int(share * width) for share in GARG_COLUMNS)
    return slice(top, bottom), slice(left, right)


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise EvaluationError(f"{name} is {value!r}, expected one of {', '.join(known)}")
