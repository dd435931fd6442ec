# SPDX-License-Identifier: Apache-2.0
"""How far a predicted motion is from one that is known."""

from torch import Tensor


def motion_error(T_predicted: Tensor, T_known: Tensor, depth: Tensor) -> Tensor:
    """Mean error as a scalar, in radians: of the rotation, and of the translation as seen at the middle of the depth.

    T_predicted, T_known: (B, 4, 4). depth: (B, 1, H, W) in the translations' units; its harmonic mean makes the two errors
    comparable, whatever the units.
    """
    difference = T_predicted - T_known.to(T_predicted)
    # |R1 - R2| is sqrt(2) times a small angle between them.
    rotation = difference[:, :3, :3].flatten(1).norm(dim=1) / 2**0.5
    translation = difference[:, :3, 3].norm(dim=1) * (1.0 / depth).mean(dim=(1, 2, 3))
    return (rotation + translation).mean()
