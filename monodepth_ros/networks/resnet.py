# SPDX-License-Identifier: Apache-2.0
"""ResNet encoder of the depth and pose networks."""

from torch import Tensor, nn
from torch.nn import functional as F

from monodepth_ros.networks.depth_network import Encoder
from monodepth_ros.networks.initial_values import fill_encoder

# Mean and standard deviation, the same for all three channels. All published weights expect this normalisation.
NORMALIZATION = (0.45, 0.225)

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
BOTTLENECK_DEPTHS = (50, 101, 152)
WIDTHS = (64, 128, 256, 512)


def normalize(image: Tensor) -> Tensor:
    """Normalise an image with values in [0, 1], of any shape, to the range of the encoders' training."""
    mean, std = NORMALIZATION
    return (image - mean).div_(std)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut (He et al. 2016, figure 5 left)."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
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
    """1x1, 3x3 and 1x1 convolutions with a shortcut; the 3x3 convolution has the stride, as in torchvision."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
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


Block = type[BasicBlock] | type[Bottleneck]


def make_shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    """The identity if the shapes agree, else a strided 1x1 projection."""
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


def resnet_channels(depth: int) -> tuple[int, ...]:
    """Number of channels of the five features of a ResNet with `depth` layers, finest first."""
    return (64, *(width * _block(depth).expansion for width in WIDTHS))


def _block(depth: int) -> Block:
    return Bottleneck if depth in BOTTLENECK_DEPTHS else BasicBlock


class ResNetTrunk(nn.Module):
    """ResNet without its classifier; the names in the state dict are those of torchvision."""

    def __init__(self, depth: int, input_channels: int) -> None:
        super().__init__()
        block = _block(depth)
        self.conv1 = nn.Conv2d(input_channels, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        counts, channels = BLOCKS[depth], resnet_channels(depth)
        self.layer1 = _layer(block, channels[0], WIDTHS[0], counts[0], stride=1)
        self.layer2 = _layer(block, channels[1], WIDTHS[1], counts[1], stride=2)
        self.layer3 = _layer(block, channels[2], WIDTHS[2], counts[2], stride=2)
        self.layer4 = _layer(block, channels[3], WIDTHS[3], counts[3], stride=2)

    def forward(self, x: Tensor) -> list[Tensor]:
        stem = F.relu(self.bn1(self.conv1(x)), inplace=True)
        features = [stem, self.layer1(F.max_pool2d(stem, 3, 2, 1))]
        for layer in (self.layer2, self.layer3, self.layer4):
            features.append(layer(features[-1]))
        return features


def _layer(block: Block, inputs: int, width: int, count: int, stride: int) -> nn.Sequential:
    """`count` blocks in a row, of which the first has the stride."""
    first = block(inputs, width, stride)
    return nn.Sequential(first, *(block(width * block.expansion, width, 1) for _ in range(count - 1)))


class ResNetEncoder(Encoder):
    """Five features of stride 2, 4, 8, 16, 32 from one image or several.

    depth: number of layers, 18, 34, 50, 101 or 152. images: number of RGB images that are stacked along the channels,
    so that the input is (B, 3 * images, H, W) in [0, 1] with H and W multiples of 32. The state dict is that of a
    published `encoder.pth` without the unused `encoder.fc`.
    """

    def __init__(self, depth: int, images: int = 1) -> None:
        super().__init__(channels=resnet_channels(depth))
        self.encoder = ResNetTrunk(depth, 3 * images)
        fill_encoder(self)

    def forward(self, image: Tensor) -> list[Tensor]:
        return self.encoder(normalize(image))
