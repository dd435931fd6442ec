# SPDX-License-Identifier: Apache-2.0
"""A checkpoint's networks as functions of plain image arrays, for runtimes other than PyTorch."""

import json
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from monodepth_ros.networks.checkpoints.checkpoint import HEADER_KEY, Checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.depth_network import STRIDE

CARD_MARK = "checkpoint_sha256"  # its name in the metadata marks a file as one of ours


@dataclass(frozen=True, eq=False)
class NetworkGraph:
    """One network, an example of its inputs, and descriptions of its inputs and outputs."""

    name: str
    """depth or pose."""
    module: nn.Module
    example: tuple[Tensor, ...]
    """A batch of one; the first dimension of every input and output is the batch."""
    inputs: dict[str, str]
    """Names in order, each with type, shape and meaning."""
    outputs: dict[str, str]

    def card(self, checkpoint: Checkpoint) -> dict[str, str]:
        """Metadata to attach to a file of this graph: texts by name, JSON except for hash and network name."""
        return {
            HEADER_KEY: checkpoint.header.to_json(),
            CARD_MARK: checkpoint.sha256,
            "network": self.name,
            "inputs": json.dumps(self.inputs),
            "outputs": json.dumps(self.outputs),
        }


class DepthGraph(nn.Module):
    """(B, H, W, 3) uint8 -> disparity (B, H, W), and the deepest feature (B, C, H / 32, W / 32) if with_feature.

    Scaling, normalisation and layout are part of the graph: its input is a camera's image.
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


def network_graphs(checkpoint: Checkpoint) -> list[NetworkGraph]:
    """Graphs of the depth network and, if the checkpoint has one, of the pose network."""
    header, depth, pose = checkpoint.header, checkpoint.depth, checkpoint.pose
    size = (header.height, header.width)
    image = torch.zeros(1, *size, 3, dtype=torch.uint8)
    image_meaning = f"uint8 (batch, {size[0]}, {size[1]}, 3): RGB; scaling and normalisation are inside"
    shares_features = pose is not None and pose.uses_depth_features
    outputs = {"disparity": _disparity_meaning(header)}
    if shares_features:
        feature = torch.zeros(1, depth.encoder.channels[-1], *(side // STRIDE for side in size))
        feature_shape = f"float32 (batch, {', '.join(map(str, feature.shape[1:]))})"
        outputs["feature"] = f"{feature_shape}: what the pose network takes instead of the image"
    graphs = [
        NetworkGraph(
            name="depth",
            module=DepthGraph(depth, shares_features).eval(),
            example=(image,),
            inputs={"image": image_meaning},
            outputs=outputs,
        )
    ]
    if pose is not None:
        example = feature if shares_features else image
        meaning = f"{feature_shape}: the depth network's feature" if shares_features else image_meaning
        inputs = {name: f"{meaning}, of the {name} image" for name in ("earlier", "later")}
        graphs.append(
            NetworkGraph(
                name="pose",
                module=PoseGraph(pose).eval(),
                example=(example, example.clone()),
                inputs=inputs,
                outputs={"motion": _motion_meaning(pose.times_mean_inverse_depth)},
            )
        )
    return graphs


def _disparity_meaning(header: CheckpointHeader) -> str:
    farthest, nearest = 1 / header.max_depth, 1 / header.min_depth
    size = f"times {header.scale_factor:g} is metres" if header.is_metric else "has no known size"
    return (
        f"float32 (batch, {header.height}, {header.width}): in [0, 1]; depth along the optical axis in network units is"
        f" 1 / ({farthest:.9g} + {nearest - farthest:.9g} * disparity); a network unit {size}"
    )


def _motion_meaning(times_mean_inverse_depth: bool) -> str:
    factor = ", to be multiplied by the mean over the later image of 1 / depth," if times_mean_inverse_depth else ""
    return (
        f"float32 (batch, 6): axis-angle in radians, then translation{factor} in network units, of T_later_earlier,"
        " which takes points of the earlier camera into the later one"
    )
