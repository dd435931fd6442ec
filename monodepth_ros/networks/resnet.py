# SPDX-License-Identifier: Apache-2.0
"""ResNet encoder of the depth and pose networks."""

from torch import Tensor, nn
from torch.nn import functional as F

# One scalar for the three channels, applied inside the network (every published weight file expects it).
NORMALIZATION = (0.45, 0.225)

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
BOTTLENECK_DEPTHS = (50, 101, 152)
WIDTHS = (64, 128, 256, 512)


def normalize(image: Tensor) -> Tensor:
    """Image with values in [0, 1], any shape, to the range that the encoders were trained on."""
    mean, std = NORMALIZATION
    return (image - mean).div_(std)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut (He et al. 2016, fig. 5 left)."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut(inputs, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        return F.relu(y + self.downsample(x), inplace=True)


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions with a shortcut; the stride is the 3x3 one's, as in torchvision."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int):
        super().__init__()
        outputs = width * self.expansion
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = make_shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        y = self.bn3(self.conv3(y))
        return F.relu(y + self.downsample(x), inplace=True)


def make_shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    """Identity where shapes agree, else a strided 1x1 projection."""
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class ResNetTrunk(nn.Module):
    """ResNet without its classifier; state-dict names are torchvision's."""

    def __init__(self, depth: int, input_channels: int):
        super().__init__()
        block = Bottleneck if depth in BOTTLENECK_DEPTHS else BasicBlock
        self.conv1 = nn.Conv2d(input_channels, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inputs = 64
        for level, (width, count) in enumerate(zip(WIDTHS, BLOCKS[depth], strict=True), start=1):
            blocks = []
            for index in range(count):
                stride = 2 if level > 1 and index == 0 else 1
                blocks.append(block(inputs, width, stride))
                inputs = width * block.expansion
            self.add_module(f"layer{level}", nn.Sequential(*blocks))
        self.channels = (64, *(width * block.expansion for width in WIDTHS))

    def forward(self, x: Tensor) -> list[Tensor]:
        stem = F.relu(self.bn1(self.conv1(x)), inplace=True)
        features = [stem, self.layer1(F.max_pool2d(stem, 3, 2, 1))]
        for layer in (self.layer2, self.layer3, self.layer4):
            features.append(layer(features[-1]))
        return features


class ResNetEncoder(nn.Module):
    """Features of one image or of several concatenated images.

    depth: 18, 34, 50, 101 or 152. images: how many RGB images are stacked along the channels. forward: (B, 3
    * images, H, W) in [0, 1], H and W multiples of 32 -> five features of stride 2, 4, 8, 16, 32 with
    `channels` channels. The state dict is that of an `encoder.pth` without its unused `encoder.fc`.
    """

    def __init__(self, depth: int, images: int = 1):
        super().__init__()
        self.encoder = ResNetTrunk(depth, 3 * images)
        self.channels = self.encoder.channels
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, image: Tensor) -> list[Tensor]:
        return self.encoder(normalize(image))
