# SPDX-License-Identifier: Apache-2.0
"""Agreement of the network's depth with the parallax of the tracked points."""

import numpy as np

from monodepth_ros.odometry.features.point_table import PointTable

MIN_PARALLAX = 5.0  # smallest parallax that shows a depth without the network's help [pixels]
MIN_POINTS = 20
# Points whose triangulated depths differ less show no order: a robust standard deviation of the logarithm.
MIN_SPREAD = 0.1
MAD_OF_NORMAL = 0.6745  # median absolute deviation of a normal error, in its standard deviations


def depth_agreement(points: PointTable, poses: np.ndarray, focal: float) -> float:
    """Rank correlation (Spearman) of the network's and the triangulated inverse depth, NaN if the points show none.

    points: adjusted, seen in the newest of the frames at poses (F, 4, 4) T_world_camera. focal [pixels]. Ranks need no
    common scale and no linear relation: 1 if the network puts the points in the right order, near 0 if it knows nothing
    of the scene. On streets it is 0.7 to 1 for networks that learned from streets, indoors about 0 for the same ones.
    """
    now = len(poses) - 1
    R = np.einsum("ji,mjk->mik", poses[now, :3, :3], poses[points.host, :3, :3])
    turned = np.einsum("mij,mj->mi", R, np.column_stack([points.ray, np.ones(len(points))]))
    with np.errstate(divide="ignore", invalid="ignore"):
        parallax = focal * np.linalg.norm(turned[:, :2] / turned[:, 2:] - points.rays[:, now], axis=1)
    shows_depth = (parallax > MIN_PARALLAX) & (turned[:, 2] > 0) & (points.host != now)
    if np.count_nonzero(shows_depth) < MIN_POINTS:
        return float("nan")
    triangulated = np.log(points.inverse_depth[shows_depth])
    if robust_spread(triangulated) < MIN_SPREAD:
        return float("nan")
    return rank_correlation(triangulated, points.prior[shows_depth])


def robust_spread(values: np.ndarray) -> float:
    """Standard deviation of normal values (N,), up to half of which may be outliers."""
    return float(np.median(np.abs(values - np.median(values))) / MAD_OF_NORMAL)


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rank correlation of a (N,) and b (N,), in [-1, 1]; equal values share the mean of their ranks."""
    ranks = [_ranks(values) for values in (a, b)]
    deviations = [rank - rank.mean() for rank in ranks]
    norm = float(np.linalg.norm(deviations[0]) * np.linalg.norm(deviations[1]))
    return float(deviations[0] @ deviations[1]) / norm if norm > 0 else 0.0


def _ranks(values: np.ndarray) -> np.ndarray:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2.0)[place]
