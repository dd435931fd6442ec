# SPDX-License-Identifier: Apache-2.0
"""Networks by the names that checkpoints and configurations use."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from monodepth_ros.networks.depth_decoder import DepthDecoder
from monodepth_ros.networks.depth_network import DepthNetwork, NetworkError
from monodepth_ros.networks.pose_cnn import PoseCNN
from monodepth_ros.networks.pose_decoder import SeparatePoseNetwork, SharedPoseNetwork
from monodepth_ros.networks.pose_network import PoseNetwork
from monodepth_ros.networks.resnet import BLOCKS, ResNetEncoder, resnet_channels
from monodepth_ros.networks.rt_monodepth import RTMonoDepthDecoder, RTMonoDepthEncoder

Network = TypeVar("Network")


def _resnet(depth: int) -> DepthNetwork:
    encoder = ResNetEncoder(depth)
    return DepthNetwork(encoder, DepthDecoder(encoder.channels))


def _rt_monodepth_s() -> DepthNetwork:
    return DepthNetwork(RTMonoDepthEncoder(), RTMonoDepthDecoder())


DEPTH_NETWORKS: dict[str, Callable[[], DepthNetwork]] = {
    **{f"resnet{depth}": partial(_resnet, depth) for depth in BLOCKS},
    "rt_monodepth_s": _rt_monodepth_s,
}

POSE_NETWORKS: dict[str, Callable[[], PoseNetwork]] = {
    **{f"separate_resnet{depth}": partial(SeparatePoseNetwork, depth) for depth in BLOCKS},
    **{f"shared_resnet{depth}": partial(SharedPoseNetwork, resnet_channels(depth)[-1]) for depth in BLOCKS},
    "posecnn": PoseCNN,
}


def build_depth(name: str) -> DepthNetwork:
    """An untrained depth network by its name in DEPTH_NETWORKS; NetworkError lists the names."""
    return _build(DEPTH_NETWORKS, "depth", name)


def build_pose(name: str) -> PoseNetwork:
    """An untrained pose network by its name in POSE_NETWORKS; NetworkError lists the names."""
    return _build(POSE_NETWORKS, "pose", name)


def _build(networks: dict[str, Callable[[], Network]], kind: str, name: str) -> Network:
    if name not in networks:
        raise NetworkError(f"unknown {kind} network {name!r}; known: {', '.join(networks)}")
    return networks[name]()
