# SPDX-License-Identifier: Apache-2.0
"""Affine brightness: exposure and white balance that change between two frames are no photometric error."""

import torch
from torch import Tensor


def match_brightness(image: Tensor, target: Tensor) -> Tensor:
    """The image with each channel's mean and standard deviation made those of the target: a * image + b, clamped to [0, 1].

    Both (B, C, H, W) in [0, 1], any sizes. a and b are constants for the gradient: the networks cannot lower the error
    by them. They come from the moments, not from a regression, whose a would fall below 1 wherever the images are not
    aligned yet.
    """
    with torch.no_grad():
        spread, mean = torch.std_mean(image, dim=(2, 3), keepdim=True)
        wanted_spread, wanted_mean = torch.std_mean(target, dim=(2, 3), keepdim=True)
        a = ((wanted_spread + 1e-3) / (spread + 1e-3)).clamp(0.5, 2.0)
        b = wanted_mean - a * mean
    return (a * image + b).clamp(0, 1)
