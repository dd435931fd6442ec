# SPDX-License-Identifier: Apache-2.0
"""Convolution with a mirrored border, the building block of the depth decoders."""

from torch import Tensor, nn
from torch.nn import functional as F


class ReflectionConv(nn.Module):
    """3x3 convolution over a border of mirrored pixels: (B, inputs, H, W) to (B, outputs, H, W)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3)

    def forward(self, x: Tensor) -> Tensor:
        # A single pixel has no neighbour to mirror; repeating it is the mirror image of a constant.
        mode = "reflect" if min(x.shape[-2:]) > 1 else "replicate"
        return self.conv(F.pad(x, (1, 1, 1, 1), mode=mode))


class EluConv(ReflectionConv):
    """ReflectionConv and ELU."""

    def forward(self, x: Tensor) -> Tensor:
        return F.elu(super().forward(x), inplace=True)
