# SPDX-License-Identifier: Apache-2.0
"""The networks of a training and their initial weights."""

import math

import pytest
import torch

from monodepth_ros.networks.checkpoints.checkpoint import save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.disparity import disparity_to_depth
from monodepth_ros.networks.registry import build_depth
from monodepth_ros.settings.schema import ConfigError, replace
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.learner import make_learner
from monodepth_ros.training.samples.clip import TrainingError


def differing(first, second):
    return [name for name, value in first.items() if not torch.equal(value, second[name])]


def test_imagenet_weights_initialise_both_encoders(tmp_path):
    donor = build_depth("resnet18").encoder.encoder.state_dict()
    torch.save({**donor, "fc.weight": torch.zeros(1000, 512)}, tmp_path / "resnet18.pth")
    config = replace(TrainConfig(), {"networks.encoder_weights": str(tmp_path / "resnet18.pth")})
    learner = make_learner(config.networks, config.objective, 0)
    assert differing(donor, learner.depth.encoder.encoder.state_dict()) == []
    stem = learner.pose.encoder.encoder.conv1.weight
    assert torch.equal(stem, torch.cat((donor["conv1.weight"],) * 2, dim=1) / 2)


def test_fine_tuning_starts_with_the_checkpoint(tmp_path):
    header = CheckpointHeader(
        depth_network="rt_monodepth_s", height=64, width=96, training_camera=(0.58, 1.92, 0.5, 0.5)
    )
    depth = build_depth("rt_monodepth_s")
    save_checkpoint(tmp_path / "a.safetensors", header, depth)
    settings = {"networks.start_from": str(tmp_path / "a.safetensors"), "networks.depth": "rt_monodepth_s"}
    config = replace(TrainConfig(), settings)
    assert differing(depth.state_dict(), make_learner(config.networks, config.objective, 0).depth.state_dict()) == []
    with pytest.raises(
        TrainingError, match="holds a rt_monodepth_s, networks.depth is resnet18: set it to rt_monodepth_s"
    ):
        make_learner(replace(config, {"networks.depth": "resnet18"}).networks, config.objective, 0)


@pytest.mark.parametrize("name", ["rt_monodepth_s", "resnet18"])
@pytest.mark.parametrize(
    ("sources", "middle"), [("stereo", math.sqrt(0.2 * 50)), ("both", math.sqrt(0.2 * 50)), ("mono", 0.4)]
)
def test_depth_with_a_fixed_scale_starts_in_the_middle_of_its_range(name, sources, middle):
    config = replace(TrainConfig(), {"networks.depth": name, "networks.min_depth": 0.2, "networks.max_depth": 50.0})
    learner = make_learner(config.networks, config.objective, 0, sources, sources != "stereo").eval()
    with torch.inference_mode():
        disparities = learner.depth(torch.rand(2, 3, 64, 96))
    for scale, disparity in disparities.items():
        assert disparity_to_depth(disparity, 0.2, 50.0).median() == pytest.approx(middle, rel=0.35), scale


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"objective.predictive_mask": True, "objective.automask": False}, "needs a ResNet depth network"),
        ({"networks.pose": "shared_resnet18"}, "shared_resnet18 needs networks.depth resnet18"),
    ],
)
def test_networks_that_do_not_go_together_are_refused(changes, expected):
    config = replace(TrainConfig(), {"networks.depth": "rt_monodepth_s", **changes})
    with pytest.raises(ConfigError, match=expected):
        make_learner(config.networks, config.objective, 0)
