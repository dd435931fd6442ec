# SPDX-License-Identifier: Apache-2.0
"""Errors of predicted depth against sparse reference depth, such as a depth camera's or a LiDAR's."""

import torch
from torch import Tensor
from torch.nn import functional as F

KINDS = ("silog", "l1")
# Eigen et al. train with 0.5, which halves the weight of an error of the scale.
SCALE_INVARIANCE = 0.5


def depth_error(depth: Tensor, reference: Tensor, kind: str = "silog") -> Tensor:
    """Error of depth (B, N) against reference depth (B, N) in the same units, as a scalar.

    reference: NaN where it is unknown; such points have no gradient, and images without any known point do not count.
    kind: 'silog', the scale-invariant error of Eigen et al. 2014, equation 4, with d = log depth - log reference:
    mean(d^2) - 0.5 mean(d)^2; or 'l1', the L1 error of inverse depth (Ummenhofer et al. 2017, section 5) over the mean
    inverse reference, which makes it a share and independent of the units.
    """
    known = reference.isfinite()
    count = known.sum(1)
    depth, reference = (torch.where(known, values, 1.0) for values in (depth, reference))
    share = count.clamp(min=1)
    if kind == "silog":
        difference = torch.where(known, depth.log() - reference.log(), 0.0)
        mean = difference.sum(1) / share
        errors = difference.square().sum(1) / share - SCALE_INVARIANCE * mean.square()
    elif kind == "l1":
        inverse = torch.where(known, 1.0 / reference, 0.0)
        difference = torch.where(known, (1.0 / depth - inverse).abs(), 0.0)
        errors = difference.sum(1) / torch.where(count > 0, inverse.sum(1), 1.0)
    else:
        raise ValueError(f"kind {kind!r}: expected one of {', '.join(KINDS)}")
    return errors.sum() / (count > 0).sum().clamp(min=1)


def at_points(values: Tensor, points: Tensor, size: tuple[int, int]) -> Tensor:
    """Values (B, N) of an image (B, 1, h, w) at points (B, 2, N): columns and rows [pixels of an image of `size`].

    size: (height, width) of the image that the points belong to; `values` may be coarser. Pixel centres are integers.
    Bilinear, with the border's value beyond the outermost centres; the value at NaN points is arbitrary but finite.
    """
    scale = points.new_tensor([2.0 / size[1], 2.0 / size[0]]).view(1, 2, 1)
    grid = ((points + 0.5) * scale - 1.0).nan_to_num(0.0).transpose(1, 2)[:, None]
    return F.grid_sample(values, grid.to(values), mode="bilinear", padding_mode="border", align_corners=False)[:, 0, 0]
