# SPDX-License-Identifier: Apache-2.0
"""Geometry consistency: two frames agree on the depth of what both see (Bian et al. 2019, equations 3 and 4)."""

from torch import Tensor


def depth_inconsistency(transformed: Tensor, sampled: Tensor) -> Tensor:
    """|a - b| / (a + b) per pixel in [0, 1): (B, 1, H, W).

    transformed: depth of the target's points in the source camera; sampled: the source's own depth at the pixels where
    it sees them; both (B, 1, H, W) and positive. Minimising it makes the scale of all frames one; 1 minus it weighs
    down what moves or is hidden.
    """
    return (transformed - sampled).abs() / (transformed + sampled)
