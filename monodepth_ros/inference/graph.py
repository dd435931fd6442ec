"""A checkpoint's networks as functions of plain image arrays: what other engines than PyTorch are given."""

import torch
from torch import Tensor, nn

from monodepth_ros.networks.checkpoint import Checkpoint


class DepthGraph(nn.Module):
    """(B, H, W, 3) uint8 -> disparity (B, H, W), and the deepest feature (B, C, H / 32, W / 32) if with_feature.

    Scaling, normalisation and layout are inside, so that whoever runs the graph hands over what a camera gives.
    """

    def __init__(self, depth: nn.Module, with_feature: bool):
        super().__init__()
        self.depth = depth
        self.with_feature = with_feature

    def forward(self, image: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        features = self.depth.encode(to_network_input(image))
        disparity = self.depth.decode(features, (0,))[0][:, 0]
        return (disparity, features[-1]) if self.with_feature else disparity


class PoseGraph(nn.Module):
    """Two images (B, H, W, 3) uint8, or their deepest features -> (B, 6) axis-angle and translation."""

    def __init__(self, pose: nn.Module):
        super().__init__()
        self.pose = pose

    def forward(self, earlier: Tensor, later: Tensor) -> Tensor:
        if not self.pose.uses_depth_features:
            earlier, later = to_network_input(earlier), to_network_input(later)
        return torch.cat(self.pose(earlier, later), dim=1)


def to_network_input(image: Tensor) -> Tensor:
    """(B, H, W, 3) uint8 -> (B, 3, H, W) float32 in [0, 1]."""
    return image.permute(0, 3, 1, 2).to(torch.float32) / 255


def depth_graph(checkpoint: Checkpoint) -> tuple[DepthGraph, tuple[Tensor, ...]]:
    """The depth graph and an example of its inputs."""
    header, pose = checkpoint.header, checkpoint.pose
    image = torch.zeros(1, header.height, header.width, 3, dtype=torch.uint8)
    return DepthGraph(checkpoint.depth, pose is not None and pose.uses_depth_features).eval(), (image,)


def pose_graph(checkpoint: Checkpoint) -> tuple[PoseGraph, tuple[Tensor, ...]]:
    """The pose graph and an example of its inputs; the checkpoint must have a pose network."""
    graph, (image,) = depth_graph(checkpoint)
    example = image
    if checkpoint.pose.uses_depth_features:
        with torch.inference_mode():
            example = graph(image)[1]
        example = torch.zeros(example.shape)
    return PoseGraph(checkpoint.pose).eval(), (example, example.clone())
