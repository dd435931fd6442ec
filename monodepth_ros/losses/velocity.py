# SPDX-License-Identifier: Apache-2.0
"""Velocity supervision: the predicted motion has the length of the measured one (Guizilini et al. 2020)."""

import torch
from torch import Tensor


def velocity_error(translation: Tensor, distance: Tensor) -> Tensor:
    """Mean | |translation| - distance | as a scalar, which makes the networks learn the units of `distance`.

    translation: (B, 3) predicted camera motion. distance: (B,) camera motion from the vehicle's odometry, NaN where it
    is unknown; the error is 0 if all of them are.
    """
    known = ~torch.isnan(distance)
    # The small number keeps the gradient of the norm finite at rest.
    length = (translation.square().sum(1) + 1e-12).sqrt()
    error = torch.where(known, (length - distance.nan_to_num(0.0)).abs(), 0.0)
    return error.sum() / known.sum().clamp(min=1)
