# SPDX-License-Identifier: Apache-2.0
"""Affine brightness correction, so that a change of exposure or white balance is not a photometric error."""

import torch
from torch import Tensor


def match_brightness(image: Tensor, target: Tensor) -> Tensor:
    """The image as a * image + b with the target's mean and standard deviation per channel, clamped to [0, 1].

    image, target: (B, C, H, W) in [0, 1]; their sizes may differ. a and b are constants for the gradient, so that the
    networks cannot lower the error through them. They are computed from the moments: a regression would give a below 1
    wherever the images are not aligned yet.
    """
    with torch.no_grad():
        spread, mean = torch.std_mean(image, dim=(2, 3), keepdim=True)
        wanted_spread, wanted_mean = torch.std_mean(target, dim=(2, 3), keepdim=True)
        a = ((wanted_spread + 1e-3) / (spread + 1e-3)).clamp(0.5, 2.0)
        b = wanted_mean - a * mean
    return (a * image + b).clamp(0, 1)
