# SPDX-License-Identifier: Apache-2.0
"""Geometry consistency: two frames agree on the depth of points that both see (Bian et al. 2019, equations 3, 4)."""

from torch import Tensor


def depth_inconsistency(transformed: Tensor, sampled: Tensor) -> Tensor:
    """Relative difference |a - b| / (a + b) per pixel in [0, 1): (B, 1, H, W).

    transformed: depth of the target's points in the source camera. sampled: the source's own depth at the pixels where
    it sees these points. Both (B, 1, H, W) and positive. As a loss it gives all frames the same scale; 1 minus it is a
    weight that is low for moving and hidden points.
    """
    return (transformed - sampled).abs() / (transformed + sampled)
