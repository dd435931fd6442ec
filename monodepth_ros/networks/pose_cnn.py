# SPDX-License-Identifier: Apache-2.0
"""PoseCNN: a plain convolutional pose network (Zhou et al. 2017, SfMLearner)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from monodepth_ros.networks.depth_network import check_size
from monodepth_ros.networks.pose_decoder import split_motion

# outputs and kernel size of each stride-2 convolution
LAYERS = ((16, 7), (32, 5), (64, 3), (128, 3), (256, 3), (256, 3), (256, 3))


class PoseCNN(nn.Module):
    """Seven strided convolutions over the two images stacked along the channels, without normalisation.

    forward(earlier, later), both (B, 3, H, W) in [0, 1] -> axis-angle (B, 3) in radians and translation (B,
    3) of T_later_earlier. The translation becomes one in network units when multiplied by the mean inverse
    depth of the target image (Wang et al. 2018, DDVO), as in its training: see `times_mean_inverse_depth`.
    The state dict is that of its `pose.pth`.
    """

    uses_depth_features = False
    times_mean_inverse_depth = True

    def __init__(self):
        super().__init__()
        inputs = 6
        layers = []
        for outputs, kernel in LAYERS:
            layers.append(nn.Conv2d(inputs, outputs, kernel, 2, kernel // 2))
            inputs = outputs
        self.net = nn.ModuleList(layers)
        self.pose_conv = nn.Conv2d(inputs, 6, 1)
        # Without normalisation layers PyTorch's default lets the signal fade from layer to layer, until the motion is the
        # biases' and no longer the images'.
        for layer in self.net:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.pose_conv.bias)

    def forward(self, earlier: Tensor, later: Tensor) -> tuple[Tensor, Tensor]:
        check_size(earlier.shape[-1], earlier.shape[-2])
        x = torch.cat((earlier, later), dim=1)
        for layer in self.net:
            x = F.relu(layer(x), inplace=True)
        return split_motion(self.pose_conv(x))
