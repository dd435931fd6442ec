# SPDX-License-Identifier: Apache-2.0
"""Decoder of the ResNet depth networks: features to disparity at four scales (Godard et al. 2019, table 5)."""

import torch
from torch import Tensor, nn

from monodepth_ros.networks.disparity_decoder import DisparityDecoder
from monodepth_ros.networks.reflection_conv import EluConv, ReflectionConv

WIDTHS = (16, 32, 64, 128, 256)
SCALES = (0, 1, 2, 3)


class ConvBlock(nn.Module):
    """EluConv under the name that it has in the published files."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = EluConv(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class DepthDecoder(DisparityDecoder):
    """Sigmoid disparity at scales 0 (full resolution) to 3 from the five features of a ResNetEncoder.

    encoder_channels: channels of each feature, finest first. outputs: channels of each scale; more than one for a
    decoder that predicts masks. Levels 4 to 1 join the encoder's feature of the same resolution. The state dict is that
    of a published `depth.pth`: `decoder.0..9` are the blocks from level 4 down, `decoder.10..13` the heads of scales 0
    to 3.
    """

    def __init__(self, encoder_channels: tuple[int, ...], outputs: int = 1) -> None:
        blocks = []
        inputs = encoder_channels[-1]
        for level in (4, 3, 2, 1, 0):
            width = WIDTHS[level]
            skip = encoder_channels[level - 1] if level > 0 else 0
            blocks += [ConvBlock(inputs, width), ConvBlock(width + skip, width)]
            inputs = width
        super().__init__(blocks, heads=[ReflectionConv(WIDTHS[scale], outputs) for scale in SCALES])

    def join(self, x: Tensor, features: list[Tensor], level: int) -> Tensor:
        return torch.cat((x, features[level - 1]), dim=1) if level > 0 else x
