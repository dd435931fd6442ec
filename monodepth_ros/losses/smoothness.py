# SPDX-License-Identifier: Apache-2.0
"""Edge-aware smoothness of disparity (Godard et al. 2019, equation 3)."""

from torch import Tensor


def smoothness(disparity: Tensor, image: Tensor) -> Tensor:
    """Mean gradient of the mean-normalised disparity as a scalar, with less weight at image edges.

    disparity: (B, 1, H, W), the sigmoid output. image: (B, C, H, W), the colour image of the same size. Without the
    division by the disparity's spatial mean the term would shrink the disparities (Wang et al. 2018).
    """
    disparity = disparity / (disparity.mean((2, 3), keepdim=True) + 1e-7)

    def weighted_gradient(axis: int) -> Tensor:
        edge = image.diff(dim=axis).abs().mean(1, keepdim=True)
        return (disparity.diff(dim=axis).abs() * (-edge).exp()).mean()

    return weighted_gradient(3) + weighted_gradient(2)
