# SPDX-License-Identifier: Apache-2.0
"""The networks of a training as one module from a batch to a prediction."""

import math
import pickle
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from monodepth_ros.errors import one_line
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint
from monodepth_ros.networks.depth_decoder import DepthDecoder
from monodepth_ros.networks.depth_network import DepthNetwork
from monodepth_ros.networks.disparity import depth_to_disparity
from monodepth_ros.networks.pose_decoder import SeparatePoseNetwork
from monodepth_ros.networks.registry import build_depth, build_pose
from monodepth_ros.networks.resnet import ResNetEncoder
from monodepth_ros.settings.schema import ConfigError
from monodepth_ros.training.config import NetworksConfig
from monodepth_ros.training.objective import ObjectiveConfig
from monodepth_ros.training.prediction import Prediction, predict
from monodepth_ros.training.samples.batch import Batch
from monodepth_ros.training.samples.clip import TrainingError


class Learner(nn.Module):
    """Depth network, pose network (None if no motion is learned) and decoder of the predictive mask (None without one).

    sources: data.sources of the training. Raises ConfigError for networks that do not go together.
    """

    def __init__(self, networks: NetworksConfig, objective: ObjectiveConfig, sources: str, learns_motion: bool):
        super().__init__()
        self.depth: DepthNetwork = build_depth(networks.depth)
        self.pose = build_pose(networks.pose) if learns_motion else None
        shares_features = self.pose is not None and self.pose.uses_depth_features
        if shares_features and networks.pose != f"shared_{networks.depth}":
            raise ConfigError(
                f"networks.pose {networks.pose} needs networks.depth {networks.pose.removeprefix('shared_')}"
            )
        self.masks = None
        if objective.predictive_mask:
            if not isinstance(self.depth.encoder, ResNetEncoder):
                raise ConfigError(f"objective.predictive_mask needs a ResNet depth network, not {networks.depth}")
            self.masks = DepthDecoder(self.depth.encoder.channels, {"mono": 2, "stereo": 1, "both": 3}[sources])
        self.scales = self.depth.scales[: objective.scales]
        self._trains_consistency = objective.depth_consistency > 0
        self._keeps_depth = networks.keep_depth

    def forward(self, batch: Batch, with_source_depth: bool = False) -> Prediction:
        """Predict disparity and motion of a batch.

        with_source_depth: predict the sources' disparity as well. While training, it is predicted if the objective
        needs it.
        """
        with_source_depth |= self._trains_consistency and self.training
        return predict(self.depth, self.pose, batch, self.scales, with_source_depth, self.masks)

    def train(self, mode: bool = True) -> "Learner":
        """Switch between training and evaluation mode. A depth network that is kept stays in evaluation mode."""
        super().train(mode)
        if self._keeps_depth:
            self.depth.eval()
        return self

    def freeze_unused(self) -> None:
        """Freeze a depth network that is kept, and the heads of scales that are not trained.

        Distributed training requires a gradient for every weight that is not frozen.
        """
        if self._keeps_depth:
            self.depth.requires_grad_(False)
        for decoder in filter(None, (self.depth.decoder, self.masks)):
            for head in decoder.head_convolutions[len(self.scales) :]:
                head.requires_grad_(False)

    def start_in_the_middle(self, min_depth: float, max_depth: float) -> None:
        """Let untrained depth be the geometric mean of its range.

        For training with a fixed scale: the middle of a sigmoid (0.2 units in 0.1 to 100) is so near that every match
        with the stereo partner is wrong, and the training does not always recover from it.
        """
        start = depth_to_disparity(math.sqrt(min_depth * max_depth), min_depth, max_depth)
        for head in self.depth.decoder.head_convolutions:
            nn.init.constant_(head.bias, math.log(start / (1 - start)))


def make_learner(
    networks: NetworksConfig, objective: ObjectiveConfig, seed: int, sources: str = "mono", learns_motion: bool = True
) -> Learner:
    """Build and initialise the networks: from scratch by the seed, from ImageNet weights, or from a checkpoint.

    Raises ConfigError for networks that do not go together, TrainingError for weights that do not fit.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        learner = Learner(networks, objective, sources, learns_motion)
    if sources != "mono" or not learns_motion or objective.depth.weight:
        learner.start_in_the_middle(networks.min_depth, networks.max_depth)
    if networks.encoder_weights and networks.start_from:
        raise ConfigError(
            "networks.start_from and networks.encoder_weights are both set: choose one of them as initial weights"
        )
    if networks.encoder_weights:
        _take_encoder(learner, networks.encoder_weights)
    if networks.start_from:
        _take_checkpoint(learner, networks)
    learner.freeze_unused()
    return learner


def _take_checkpoint(learner: Learner, networks: NetworksConfig) -> None:
    checkpoint = load_checkpoint(networks.start_from)
    header = checkpoint.header
    if header.depth_network != networks.depth:
        raise TrainingError(
            f"{networks.start_from} holds a {header.depth_network}, networks.depth is {networks.depth}: set it to"
            f" {header.depth_network}"
        )
    if (header.min_depth, header.max_depth) != (networks.min_depth, networks.max_depth):
        raise TrainingError(
            f"{networks.start_from} has depths from {header.min_depth:g} to {header.max_depth:g}, networks.min_depth"
            f" and max_depth are {networks.min_depth:g} and {networks.max_depth:g}: set them to the checkpoint's range"
        )
    learner.depth.load_state_dict(checkpoint.depth.state_dict())
    if learner.pose is not None and checkpoint.pose is not None and header.pose_network == networks.pose:
        learner.pose.load_state_dict(checkpoint.pose.state_dict())


def _take_encoder(learner: Learner, path: str) -> None:
    """Load ImageNet weights into every ResNet encoder.

    The first convolution of a pose encoder is repeated and scaled, so that it computes the mean over its two images.
    """
    tensors = _read_tensors(Path(path))
    encoders = [learner.depth.encoder]
    if isinstance(learner.pose, SeparatePoseNetwork):
        encoders.append(learner.pose.encoder)
    taken = False
    for encoder in encoders:
        if not isinstance(encoder, ResNetEncoder):
            continue
        own = encoder.encoder.state_dict()
        given = {key: value for key, value in tensors.items() if key in own}
        images = own["conv1.weight"].shape[1] // 3
        if "conv1.weight" in given:
            given["conv1.weight"] = given["conv1.weight"].repeat(1, images, 1, 1) / images
        wrong = [key for key, value in own.items() if key not in given or given[key].shape != value.shape]
        wrong = [key for key in wrong if not key.endswith("num_batches_tracked")]
        if wrong:
            if encoder is encoders[0]:
                raise TrainingError(
                    f"{path}: {len(wrong)} tensors of the encoder are missing or have another shape ({wrong[0]}):"
                    " give the weights of the same ResNet, with torchvision's names"
                )
            continue  # a pose encoder of another depth starts from scratch
        encoder.encoder.load_state_dict(given, strict=False)
        taken = True
    if not taken:
        raise TrainingError("networks.encoder_weights are for ResNet encoders; these networks have none")


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            content = load_file(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise TrainingError(f"{path}: no such file") from None
    except (OSError, RuntimeError, pickle.UnpicklingError, ValueError, EOFError) as error:
        raise TrainingError(f"{path} cannot be read as weights: {one_line(error, 200)}") from None
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    tensors = (
        {key: value for key, value in content.items() if isinstance(value, Tensor)} if isinstance(content, dict) else {}
    )
    # An encoder.pth in monodepth2's format has the same names after a prefix.
    return {key.removeprefix("encoder."): value for key, value in tensors.items()}
