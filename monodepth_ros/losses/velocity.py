# SPDX-License-Identifier: Apache-2.0
"""Velocity supervision: the length of the predicted motion is that of the measured one (Guizilini et al. 2020)."""

import torch
from torch import Tensor


def velocity_error(translation: Tensor, distance: Tensor) -> Tensor:
    """Mean | |translation| - distance | as a scalar; it makes the networks' units those of `distance`.

    translation: (B, 3) predicted camera motion. distance: (B,) what the camera moved by the vehicle's odometry, NaN
    where that is not known (without any it is 0).
    """
    known = ~torch.isnan(distance)
    # The small number keeps the gradient of the norm finite at no motion.
    length = (translation.square().sum(1) + 1e-12).sqrt()
    error = torch.where(known, (length - distance.nan_to_num(0.0)).abs(), 0.0)
    return error.sum() / known.sum().clamp(min=1)
