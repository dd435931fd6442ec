# SPDX-License-Identifier: Apache-2.0
"""Pose networks: shapes, order of the images, initial values."""

import pytest
import torch

from monodepth_ros.networks.depth_network import NetworkError
from monodepth_ros.networks.formula_weights import fill_networks_with_formula
from monodepth_ros.networks.registry import POSE_NETWORKS, build_depth, build_pose


def ready(name):
    pose = build_pose(name).eval()
    fill_networks_with_formula(build_depth("rt_monodepth_s"), pose)
    return pose


def inputs(pose, channels=512):
    torch.manual_seed(0)
    shape = (2, channels, 2, 3) if pose.uses_depth_features else (2, 3, 64, 96)
    return torch.rand(shape), torch.rand(shape)


@pytest.mark.parametrize("name", ["separate_resnet18", "shared_resnet18", "posecnn"])
def test_a_motion_has_two_vectors_and_depends_on_the_order_of_the_images(name):
    pose = ready(name)
    earlier, later = inputs(pose)
    with torch.inference_mode():
        forward, backward = pose(earlier, later), pose(later, earlier)
    for part in forward:
        assert part.shape == (2, 3)
    assert not torch.allclose(torch.cat(forward), torch.cat(backward), atol=1e-5)


def test_a_shared_network_accepts_the_features_of_its_depth_encoder():
    depth, pose = build_depth("resnet50").eval(), build_pose("shared_resnet50").eval()
    with torch.inference_mode():
        feature = depth.encode(torch.rand(1, 3, 64, 96))[-1]
        axis_angle, translation = pose(feature, feature)
    assert axis_angle.shape == translation.shape == (1, 3)


def test_untrained_motion_is_near_zero():
    torch.manual_seed(0)
    pose = build_pose("separate_resnet18").eval()
    with torch.inference_mode():
        motion = torch.cat(pose(*inputs(pose)), dim=1)
    assert motion.abs().max() < 0.1


@pytest.mark.parametrize("name", ["separate_resnet18", "shared_resnet18", "posecnn"])
def test_an_untrained_motion_depends_on_the_images(name):
    """If signals fade from layer to layer, the motion depends on the biases alone, and training cannot recover."""
    torch.manual_seed(0)
    pose, depth = build_pose(name), build_depth("resnet18")
    images = torch.nn.functional.interpolate(torch.rand(16, 3, 4, 6), (64, 96), mode="bilinear")
    with torch.inference_mode():
        seen = depth.encode(images)[-1] if pose.uses_depth_features else images
        motion = torch.cat(pose(seen[:8], seen[8:]), dim=1)
    ratio = (motion.std(0).norm() / motion.mean(0).norm()).item()
    assert ratio > 0.2, ratio


@pytest.mark.parametrize("name", ["separate_resnet18", "posecnn"])
def test_sizes_other_than_multiples_of_32_are_refused(name):
    image = torch.zeros(1, 3, 60, 96)
    with pytest.raises(NetworkError, match="96x60.*96x64"):
        build_pose(name)(image, image)


def test_an_unknown_name_is_refused_with_the_known_names():
    with pytest.raises(NetworkError, match="'posenet'; known: .*separate_resnet18.*posecnn"):
        build_pose("posenet")


def test_every_known_name_builds():
    with torch.device("meta"):
        for name in POSE_NETWORKS:
            assert build_pose(name) is not None
