# SPDX-License-Identifier: Apache-2.0
"""RT-MonoDepth-S, a small depth network for embedded computers (Feng et al., ICIP 2024)."""

from torch import Tensor, nn
from torch.nn import functional as F

from monodepth_ros.networks.depth_network import Encoder
from monodepth_ros.networks.disparity_decoder import DisparityDecoder
from monodepth_ros.networks.initial_values import fill_encoder
from monodepth_ros.networks.reflection_conv import EluConv
from monodepth_ros.networks.resnet import normalize

ENCODER_WIDTHS = (64, 64, 128, 192)
DECODER_WIDTHS = (16, 32, 64, 96)
SCALES = (0, 1, 2)


class RTMonoDepthEncoder(Encoder):
    """Four features of stride 2, 4, 8, 16 from images (B, 3, H, W) in [0, 1].

    The state dict is that of the published `encoder.pth`.
    """

    def __init__(self) -> None:
        super().__init__(channels=ENCODER_WIDTHS)
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
        fill_encoder(self)

    def forward(self, image: Tensor) -> list[Tensor]:
        features = [F.relu(self.conv1(normalize(image)), inplace=True)]
        for stage in self.convs:
            features.append(stage(features[-1]))
        return features


class ZeroBorderHead(nn.Module):
    """3x3 convolution with a border of zeros to one channel, under the name that it has in the published files."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.conv3 = nn.Conv2d(inputs, 1, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv3(x)


class RTMonoDepthDecoder(DisparityDecoder):
    """Sigmoid disparity at scales 0 (full resolution) to 2 from the deepest feature alone.

    The state dict is that of the published `depth.pth`: `decoder.0..7` are the convolutions from level 3 down,
    `decoder.8..10` the heads of scales 0 to 2.
    """

    def __init__(self) -> None:
        blocks = []
        inputs = ENCODER_WIDTHS[-1]
        for width in reversed(DECODER_WIDTHS):
            blocks += [EluConv(inputs, width), EluConv(width, width)]
            inputs = width
        super().__init__(blocks, heads=[ZeroBorderHead(DECODER_WIDTHS[scale]) for scale in SCALES])
