# SPDX-License-Identifier: Apache-2.0
"""Error of a predicted motion against a known one."""

from torch import Tensor


def motion_error(T_predicted: Tensor, T_known: Tensor, depth: Tensor) -> Tensor:
    """Mean error of rotation plus translation as a scalar [rad].

    T_predicted, T_known: (B, 4, 4). depth: (B, 1, H, W) in the units of the translations; the error of a translation is
    the angle that it makes at the harmonic mean of the depth, and does not depend on the units.
    """
    difference = T_predicted - T_known.to(T_predicted)
    # |R1 - R2| is sqrt(2) times a small angle between them.
    rotation = difference[:, :3, :3].flatten(1).norm(dim=1) / 2**0.5
    translation = difference[:, :3, 3].norm(dim=1) * (1.0 / depth).mean(dim=(1, 2, 3))
    return (rotation + translation).mean()
