# SPDX-License-Identifier: Apache-2.0
"""Result of the odometry by features for one image."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TrackedPoints:
    """N tracked points of one image, for pictures and statistics.

    before, now: (N, 2) pixels in the previous and this image, of `size` (width, height). agrees: (N,) bool, the point
    fits the motion.
    """

    before: np.ndarray
    now: np.ndarray
    agrees: np.ndarray
    size: tuple[int, int]


@dataclass(frozen=True)
class FeatureMotion:
    """Motion from the previous image to this one.

    T_previous_current: (4, 4), lengths in the depth's units, or None if unknown; reason: why it is unknown or bridged.
    covariance: (6, 6) of it, see covariance.py. is_still: nothing moved. inliers: number of points that agree with it;
    share: inliers as a share of the tracked points. is_bridged: the image gave no motion, so the gyro gives the
    rotation and the translation is extrapolated. ends_bridge: a measured motion that starts at a bridged pose.
    depth_agreement: rank correlation of depth and parallax (see depth_agreement.py), NaN if unknown.
    """

    T_previous_current: np.ndarray | None
    covariance: np.ndarray | None = None
    reason: str = ""
    is_still: bool = False
    inliers: int = 0
    share: float = 0.0
    points: TrackedPoints | None = None
    is_bridged: bool = False
    ends_bridge: bool = False
    depth_agreement: float = float("nan")
