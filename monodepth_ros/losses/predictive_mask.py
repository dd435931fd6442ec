# SPDX-License-Identifier: Apache-2.0
"""Explainability mask: a network predicts which pixels a source can explain (Zhou et al. 2017, section 3.3)."""

from torch import Tensor

WEIGHT = 0.2


def masked_reprojection(reprojection: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Masked errors (B, N, H, W), and a scalar penalty that keeps the mask from becoming zero everywhere.

    reprojection: (B, N, H, W) photometric errors. mask: (B, N, H, W) in (0, 1), one channel per source. The penalty is
    0.2 times the mean cross entropy between the mask and one.
    """
    return reprojection * mask, WEIGHT * -mask.clamp(min=1e-7).log().mean()
