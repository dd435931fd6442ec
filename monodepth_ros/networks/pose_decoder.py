# SPDX-License-Identifier: Apache-2.0
"""Pose networks built on ResNet features: one of its own, or one that shares the depth network's encoder."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from monodepth_ros.networks.depth_network import check_size
from monodepth_ros.networks.resnet import ResNetEncoder

# Keeps the first motions of an untrained network near zero.
OUTPUT_SCALE = 0.01


def split_motion(outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Spatial mean of the first six channels of (B, C, h, w): axis-angle (B, 3) and translation (B, 3)."""
    motion = OUTPUT_SCALE * outputs[:, :6].mean(dim=(2, 3))
    return motion[:, :3], motion[:, 3:]


class PoseDecoder(nn.Module):
    """Features of the deepest encoder level, one tensor per encoder pass, to a motion.

    channels: of each feature. features: how many are given. motions: how many slots of six outputs the head
    has; only the first is a trained motion for a pair, the published `pose.pth` files carry a second one. The
    state dict is that of such a file: `net.0` squeeze, `net.1`, `net.2`, `net.3` head.
    """

    def __init__(self, channels: int, features: int, motions: int):
        super().__init__()
        self.net = nn.ModuleList(
            (
                nn.Conv2d(channels, 256, 1),
                nn.Conv2d(256 * features, 256, 3, 1, 1),
                nn.Conv2d(256, 256, 3, 1, 1),
                nn.Conv2d(256, 6 * motions, 1),
            )
        )
        for layer in self.net[:3]:  # each before a ReLU
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.net[3].bias)

    def forward(self, *features: Tensor) -> tuple[Tensor, Tensor]:
        squeeze, first, second, head = self.net
        x = torch.cat([F.relu(squeeze(feature), inplace=True) for feature in features], dim=1)
        x = F.relu(first(x), inplace=True)
        x = F.relu(second(x), inplace=True)
        return split_motion(head(x))


class SeparatePoseNetwork(nn.Module):
    """Pose network with its own ResNet over the two images stacked along the channels.

    forward(earlier, later), both (B, 3, H, W) in [0, 1] -> axis-angle (B, 3) in radians and translation (B,
    3) in network units of T_later_earlier (it maps points of the earlier camera into the later one).
    """

    uses_depth_features = False
    times_mean_inverse_depth = False

    def __init__(self, depth: int):
        super().__init__()
        self.encoder = ResNetEncoder(depth, images=2)
        self.decoder = PoseDecoder(self.encoder.channels[-1], features=1, motions=2)

    def forward(self, earlier: Tensor, later: Tensor) -> tuple[Tensor, Tensor]:
        check_size(earlier.shape[-1], earlier.shape[-2])
        return self.decoder(self.encoder(torch.cat((earlier, later), dim=1))[-1])


class SharedPoseNetwork(nn.Module):
    """Pose network on the depth encoder's deepest features of the two images.

    forward(earlier, later), both (B, C, H / 32, W / 32) features -> axis-angle (B, 3) in radians and
    translation (B, 3) in network units of T_later_earlier.
    """

    uses_depth_features = True
    times_mean_inverse_depth = False

    def __init__(self, channels: int):
        super().__init__()
        self.decoder = PoseDecoder(channels, features=2, motions=1)

    def forward(self, earlier: Tensor, later: Tensor) -> tuple[Tensor, Tensor]:
        return self.decoder(earlier, later)
