# SPDX-License-Identifier: Apache-2.0
"""PoseCNN: a plain convolutional pose network (Zhou et al. 2017, SfMLearner)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from monodepth_ros.networks.depth_network import check_size
from monodepth_ros.networks.initial_values import fill_before_relu, fill_bias_with_zeros
from monodepth_ros.networks.pose_network import PoseNetwork, split_motion

# outputs and kernel size of each stride-2 convolution
LAYERS = ((16, 7), (32, 5), (64, 3), (128, 3), (256, 3), (256, 3), (256, 3))


class PoseCNN(PoseNetwork):
    """Seven strided convolutions over the two images stacked along the channels, without normalisation.

    The state dict is that of a published `pose.pth`.
    """

    times_mean_inverse_depth = True

    def __init__(self) -> None:
        super().__init__()
        inputs = 6
        layers = []
        for outputs, kernel in LAYERS:
            layers.append(nn.Conv2d(inputs, outputs, kernel, 2, kernel // 2))
            inputs = outputs
        self.net = nn.ModuleList(layers)
        self.pose_conv = nn.Conv2d(inputs, 6, 1)
        fill_before_relu(layers)
        fill_bias_with_zeros(self.pose_conv)

    @property
    def published_parts(self) -> dict[str, nn.Module]:
        return {"pose": self}

    def forward(self, earlier: Tensor, later: Tensor) -> tuple[Tensor, Tensor]:
        check_size(earlier.shape[-1], earlier.shape[-2])
        x = torch.cat((earlier, later), dim=1)
        for layer in self.net:
            x = F.relu(layer(x), inplace=True)
        return split_motion(self.pose_conv(x))
