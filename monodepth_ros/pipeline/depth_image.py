# SPDX-License-Identifier: Apache-2.0
"""The depth image, in metres along the optical axis, from the network's disparity."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.geometry.resample import Resampler
from monodepth_ros.pipeline.network_view import NetworkView

MILLIMETRES_MAX = 65535


class DepthResizer:
    """Resizes disparity from the network's size to that of the (rectified) camera image; keeps the tables of one view.

    Resizing precedes the inversion, because the mean of two depths is not the depth of the mean disparity.
    """

    def __init__(self, view: NetworkView):
        self._resampler = Resampler(view.camera, view.image_camera, "bilinear")

    def __call__(self, scaled_disparity: np.ndarray) -> np.ndarray:
        """(H, W) 1/depth at network size -> (H', W') at image size, NaN where the network does not look."""
        resized = self._resampler(scaled_disparity)
        if self._resampler.valid is not None:
            resized[~self._resampler.valid] = np.nan
        return resized


def depth_from_disparity(scaled_disparity: np.ndarray, factor: float, min_range: float, max_range: float) -> np.ndarray:
    """Depth [m], float32 (H, W): factor / disparity; +Inf beyond max_range, -Inf nearer than min_range, NaN stays."""
    depth = np.divide(np.float32(factor), scaled_disparity, dtype=np.float32)
    depth[depth > max_range] = np.inf
    depth[depth < min_range] = -np.inf
    return depth


def to_millimetres(depth: np.ndarray) -> np.ndarray:
    """Depth [m] as uint16 millimetres (H, W); 0 for NaN, the infinities and depth beyond 65.535 m."""
    with np.errstate(invalid="ignore"):
        millimetres = np.rint(depth * 1000.0)
        valid = (millimetres > 0) & (millimetres <= MILLIMETRES_MAX)
        return np.where(valid, millimetres, 0).astype(np.uint16)


@dataclass(frozen=True)
class DepthStatistics:
    """Minimum, median and maximum [m] of the finite values of one depth image, and their share of its pixels."""

    minimum: float
    median: float
    maximum: float
    valid_ratio: float


def depth_statistics(depth: np.ndarray) -> DepthStatistics:
    """Statistics of a depth image (H, W) from every fourth pixel of every fourth row; NaN if none is finite."""
    sample = depth[::4, ::4]
    finite = sample[np.isfinite(sample)]
    if finite.size == 0:
        return DepthStatistics(float("nan"), float("nan"), float("nan"), 0.0)
    return DepthStatistics(
        float(finite.min()), float(np.median(finite)), float(finite.max()), finite.size / sample.size
    )
