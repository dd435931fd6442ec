# SPDX-License-Identifier: Apache-2.0
"""Pose networks on ResNet features: with an encoder of their own, or on the depth network's encoder."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from monodepth_ros.networks.depth_network import check_size
from monodepth_ros.networks.initial_values import fill_before_relu, fill_bias_with_zeros
from monodepth_ros.networks.pose_network import PoseNetwork, split_motion
from monodepth_ros.networks.resnet import ResNetEncoder


class PoseDecoder(nn.Module):
    """Motion from features of the deepest encoder level, one tensor (B, channels, h, w) for each encoder pass.

    features: number of these tensors. motions: number of motions, of six outputs each, in the head. Only the first is
    trained for a pair of images; the published `pose.pth` files have a second one. The state dict is that of such a
    file: `net.0` squeeze, `net.1`, `net.2`, `net.3` head.
    """

    def __init__(self, channels: int, features: int, motions: int) -> None:
        super().__init__()
        hidden = [
            nn.Conv2d(channels, 256, 1),
            nn.Conv2d(256 * features, 256, 3, 1, 1),
            nn.Conv2d(256, 256, 3, 1, 1),
        ]
        head = nn.Conv2d(256, 6 * motions, 1)
        self.net = nn.ModuleList([*hidden, head])
        fill_before_relu(hidden)
        fill_bias_with_zeros(head)

    def forward(self, *features: Tensor) -> tuple[Tensor, Tensor]:
        squeeze, first, second, head = self.net
        x = torch.cat([F.relu(squeeze(feature), inplace=True) for feature in features], dim=1)
        x = F.relu(first(x), inplace=True)
        x = F.relu(second(x), inplace=True)
        return split_motion(head(x))


class SeparatePoseNetwork(PoseNetwork):
    """Pose network with a ResNet of its own over the two images stacked along the channels.

    depth: number of layers of the ResNet, a key of `resnet.BLOCKS`.
    """

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.encoder = ResNetEncoder(depth, images=2)
        self.decoder = PoseDecoder(self.encoder.channels[-1], features=1, motions=2)

    @property
    def published_parts(self) -> dict[str, nn.Module]:
        return {"pose_encoder": self.encoder, "pose": self.decoder}

    def forward(self, earlier: Tensor, later: Tensor) -> tuple[Tensor, Tensor]:
        check_size(earlier.shape[-1], earlier.shape[-2])
        return self.decoder(self.encoder(torch.cat((earlier, later), dim=1))[-1])


class SharedPoseNetwork(PoseNetwork):
    """Pose network on the depth encoder's deepest features, with `channels` channels, of the two images."""

    uses_depth_features = True

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.decoder = PoseDecoder(channels, features=2, motions=1)

    @property
    def published_parts(self) -> dict[str, nn.Module]:
        return {"pose": self.decoder}

    def forward(self, earlier: Tensor, later: Tensor) -> tuple[Tensor, Tensor]:
        return self.decoder(earlier, later)
