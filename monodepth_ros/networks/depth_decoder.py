# SPDX-License-Identifier: Apache-2.0
"""Decoder of the ResNet depth networks: features to disparity at four scales (Godard et al. 2019, tab. 5)."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (16, 32, 64, 128, 256)


class ReflectionConv(nn.Module):
    """3x3 convolution over a border of mirrored pixels: (B, inputs, H, W) -> (B, outputs, H, W)."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3)

    def forward(self, x: Tensor) -> Tensor:
        # One pixel has no neighbour to mirror; repeating it is what mirroring a constant would give.
        mode = "reflect" if min(x.shape[-2:]) > 1 else "replicate"
        return self.conv(F.pad(x, (1, 1, 1, 1), mode=mode))


class ConvBlock(nn.Module):
    """ReflectionConv and ELU."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = ReflectionConv(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.elu(self.conv(x), inplace=True)


class DepthDecoder(nn.Module):
    """Sigmoid disparity at scales 0 (full resolution) to 3 from the five features of a ResNetEncoder.

    outputs: channels of each scale; more than one for a decoder that predicts masks.

    Level i = 4..0: a block at the lower resolution, nearest x2, the encoder's feature i - 1 beside it (i >
    0), a second block; levels 0..3 have a head each. The state dict is that of a `depth.pth`: `decoder.0..9`
    are the blocks from level 4 down, `decoder.10..13` the heads of scales 0..3.
    """

    scales = (0, 1, 2, 3)

    def __init__(self, encoder_channels: tuple[int, ...], outputs: int = 1):
        super().__init__()
        blocks = []
        inputs = encoder_channels[-1]
        for level in (4, 3, 2, 1, 0):
            width = WIDTHS[level]
            skip = encoder_channels[level - 1] if level > 0 else 0
            blocks += [ConvBlock(inputs, width), ConvBlock(width + skip, width)]
            inputs = width
        heads = [ReflectionConv(WIDTHS[scale], outputs) for scale in self.scales]
        self.decoder = nn.ModuleList(blocks + heads)

    @property
    def heads(self) -> nn.ModuleList:
        """The last layer of each scale, finest first."""
        return self.decoder[-len(self.scales) :]

    @property
    def head_convolutions(self) -> list[nn.Conv2d]:
        """What each scale's sigmoid is taken of, finest scale first."""
        return [head.conv for head in self.heads]

    def forward(self, features: list[Tensor], scales: Iterable[int]) -> dict[int, Tensor]:
        """Only the heads and levels that `scales` needs are computed."""
        disparities = {}
        x = features[-1]
        for level in range(4, min(scales) - 1, -1):
            first = 2 * (4 - level)
            x = self.decoder[first](x)
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            if level > 0:
                x = torch.cat((x, features[level - 1]), dim=1)
            x = self.decoder[first + 1](x)
            if level in scales:
                disparities[level] = torch.sigmoid(self.decoder[10 + level](x))
        return disparities
