# SPDX-License-Identifier: Apache-2.0
"""RT-MonoDepth-S, a small depth network for embedded computers (Feng et al., ICIP 2024)."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from monodepth_ros.networks.depth_decoder import ReflectionConv
from monodepth_ros.networks.resnet import normalize

ENCODER_WIDTHS = (64, 64, 128, 192)
DECODER_WIDTHS = (16, 32, 64, 96)


class RTMonoDepthEncoder(nn.Module):
    """Four features of stride 2, 4, 8, 16 from images (B, 3, H, W) in [0, 1].

    The state dict is that of its published `encoder.pth`.
    """

    def __init__(self):
        super().__init__()
        self.channels = ENCODER_WIDTHS
        self.conv1 = nn.Conv2d(3, ENCODER_WIDTHS[0], 7, 2, 3, bias=False)
        self.convs = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(inputs, outputs, 3, 2, 1),
                nn.LeakyReLU(0.1, inplace=True),
                nn.Conv2d(outputs, outputs, 3, 1, 1),
                nn.LeakyReLU(0.1, inplace=True),
            )
            for inputs, outputs in zip(ENCODER_WIDTHS[:-1], ENCODER_WIDTHS[1:], strict=True)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, image: Tensor) -> list[Tensor]:
        features = [F.relu(self.conv1(normalize(image)), inplace=True)]
        for stage in self.convs:
            features.append(stage(features[-1]))
        return features


class DisparityHead(nn.Module):
    """3x3 convolution with a border of zeros to one channel, and a sigmoid."""

    def __init__(self, inputs: int):
        super().__init__()
        self.conv3 = nn.Conv2d(inputs, 1, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.conv3(x))


class RTMonoDepthDecoder(nn.Module):
    """Sigmoid disparity at scales 0 to 2 from the deepest feature alone.

    Level i = 3..0: convolution, ELU, nearest x2, convolution, ELU. The state dict is that of its `depth.pth`:
    `decoder.0..7` are the convolutions from level 3 down, `decoder.8..10` the heads of scales 0..2.
    """

    scales = (0, 1, 2)

    def __init__(self):
        super().__init__()
        blocks = []
        inputs = ENCODER_WIDTHS[-1]
        for width in reversed(DECODER_WIDTHS):
            blocks += [ReflectionConv(inputs, width), ReflectionConv(width, width)]
            inputs = width
        heads = [DisparityHead(DECODER_WIDTHS[scale]) for scale in self.scales]
        self.decoder = nn.ModuleList(blocks + heads)

    @property
    def heads(self) -> nn.ModuleList:
        """The last layer of each scale, finest first."""
        return self.decoder[-len(self.scales) :]

    @property
    def head_convolutions(self) -> list[nn.Conv2d]:
        """What each scale's sigmoid is taken of, finest scale first."""
        return [head.conv3 for head in self.heads]

    def forward(self, features: list[Tensor], scales: Iterable[int]) -> dict[int, Tensor]:
        """Only the heads and levels that `scales` needs are computed."""
        disparities = {}
        x = features[-1]
        for level in range(3, min(scales) - 1, -1):
            first = 2 * (3 - level)
            x = F.elu(self.decoder[first](x), inplace=True)
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = F.elu(self.decoder[first + 1](x), inplace=True)
            if level in scales:
                disparities[level] = self.decoder[8 + level](x)
        return disparities
