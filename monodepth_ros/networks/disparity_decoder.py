# SPDX-License-Identifier: Apache-2.0
"""The part that all depth decoders share: levels from coarse to fine, and a head for each scale."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class DisparityDecoder(nn.Module):
    """Sigmoid disparity at several scales from the features of an encoder.

    blocks: two for each level, from the coarsest level to level 0 (full resolution). The first block of a level
    computes at the next coarser resolution; its output is upsampled (nearest, x2), joined with other features by
    `join`, and given to the second block. heads: the last layer before the sigmoid for each of the scales 0, 1, ...

    The state dict is that of a published `depth.pth`: `decoder.<i>` are first the blocks, then the heads.
    """

    def __init__(self, blocks: Sequence[nn.Module], heads: Sequence[nn.Module]) -> None:
        super().__init__()
        self.scales = tuple(range(len(heads)))
        self.levels = len(blocks) // 2
        self.decoder = nn.ModuleList([*blocks, *heads])

    @property
    def heads(self) -> list[nn.Module]:
        """The last layer of each scale, finest scale first."""
        return list(self.decoder)[-len(self.scales) :]

    @property
    def head_convolutions(self) -> list[nn.Conv2d]:
        """The convolution in each head, finest scale first; the sigmoid of its output is the disparity."""
        return [module for head in self.heads for module in head.modules() if isinstance(module, nn.Conv2d)]

    def join(self, x: Tensor, features: list[Tensor], level: int) -> Tensor:
        """The input of a level's second block from the upsampled x; by default x alone."""
        return x

    def forward(self, features: list[Tensor], scales: Iterable[int]) -> dict[int, Tensor]:
        """Disparity (B, outputs, H / 2^s, W / 2^s) in (0, 1) by scale; computes only what `scales` need."""
        disparities = {}
        x = features[-1]
        for level in range(self.levels - 1, min(scales) - 1, -1):
            first = 2 * (self.levels - 1 - level)
            x = F.interpolate(self.decoder[first](x), scale_factor=2.0, mode="nearest")
            x = self.decoder[first + 1](self.join(x, features, level))
            if level in scales:
                disparities[level] = torch.sigmoid(self.decoder[2 * self.levels + level](x))
        return disparities
