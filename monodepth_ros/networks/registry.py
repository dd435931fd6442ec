# SPDX-License-Identifier: Apache-2.0
"""Networks by name, as checkpoints and configurations state them."""

from collections.abc import Callable

from torch import nn

from monodepth_ros.networks.depth_decoder import DepthDecoder
from monodepth_ros.networks.depth_network import DepthNetwork, NetworkError
from monodepth_ros.networks.pose_cnn import PoseCNN
from monodepth_ros.networks.pose_decoder import SeparatePoseNetwork, SharedPoseNetwork
from monodepth_ros.networks.resnet import BLOCKS, BOTTLENECK_DEPTHS, ResNetEncoder
from monodepth_ros.networks.rt_monodepth import RTMonoDepthDecoder, RTMonoDepthEncoder


def _resnet(depth: int) -> DepthNetwork:
    encoder = ResNetEncoder(depth)
    return DepthNetwork(encoder, DepthDecoder(encoder.channels))


DEPTH_NETWORKS: dict[str, Callable[[], DepthNetwork]] = {
    **{f"resnet{depth}": lambda depth=depth: _resnet(depth) for depth in BLOCKS},
    "rt_monodepth_s": lambda: DepthNetwork(RTMonoDepthEncoder(), RTMonoDepthDecoder()),
}

POSE_NETWORKS: dict[str, Callable[[], nn.Module]] = {
    **{f"separate_resnet{depth}": lambda depth=depth: SeparatePoseNetwork(depth) for depth in BLOCKS},
    **{
        f"shared_resnet{depth}": lambda depth=depth: SharedPoseNetwork(2048 if depth in BOTTLENECK_DEPTHS else 512)
        for depth in BLOCKS
    },
    "posecnn": PoseCNN,
}


def build_depth(name: str) -> DepthNetwork:
    """Untrained depth network `name` of DEPTH_NETWORKS; NetworkError lists the names."""
    return _build(DEPTH_NETWORKS, "depth", name)


def build_pose(name: str) -> nn.Module:
    """Untrained pose network `name` of POSE_NETWORKS; NetworkError lists the names.

    forward(earlier, later) -> axis-angle (B, 3), translation (B, 3) of T_later_earlier. Where the class
    attribute `uses_depth_features` is true, earlier and later are the depth encoder's last features instead
    of images.
    """
    return _build(POSE_NETWORKS, "pose", name)


def _build(networks: dict, kind: str, name: str) -> nn.Module:
    if name not in networks:
        raise NetworkError(f"unknown {kind} network {name!r}; known: {', '.join(networks)}")
    return networks[name]()
