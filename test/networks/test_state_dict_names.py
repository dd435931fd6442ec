# SPDX-License-Identifier: Apache-2.0
"""Names and shapes of the tensors in the published files, which the modules must have."""

import torch

from monodepth_ros.networks.checkpoints.monodepth2_format import published_parts
from monodepth_ros.networks.registry import build_depth, build_pose


def shapes(module):
    return {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}


def parts(depth, pose=None):
    with torch.device("meta"):
        return published_parts(build_depth(depth), build_pose(pose) if pose else None)


def test_resnet_encoder_has_torchvision_names_without_the_classifier():
    encoder = shapes(parts("resnet18")["encoder"])
    assert len(encoder) == 120
    assert encoder["encoder.conv1.weight"] == (64, 3, 7, 7)
    assert encoder["encoder.bn1.num_batches_tracked"] == ()
    assert encoder["encoder.layer1.1.bn2.running_var"] == (64,)
    assert encoder["encoder.layer2.0.downsample.0.weight"] == (128, 64, 1, 1)
    assert encoder["encoder.layer2.0.downsample.1.running_mean"] == (128,)
    assert encoder["encoder.layer4.1.conv2.weight"] == (512, 512, 3, 3)
    assert not any(key.startswith("encoder.fc") for key in encoder)
    bottlenecks = shapes(parts("resnet50")["encoder"])
    assert len(bottlenecks) == 318
    assert bottlenecks["encoder.layer1.0.conv3.weight"] == (256, 64, 1, 1)
    assert bottlenecks["encoder.layer1.0.downsample.0.weight"] == (256, 64, 1, 1)


def test_depth_decoder_numbers_blocks_from_coarse_to_fine_and_heads_from_fine_to_coarse():
    decoder = shapes(parts("resnet18")["depth"])
    expected = [
        (256, 512),
        (256, 512),
        (128, 256),
        (128, 256),
        (64, 128),
        (64, 128),
        (32, 64),
        (32, 96),
        (16, 32),
        (16, 16),
    ]
    assert [decoder[f"decoder.{i}.conv.conv.weight"][:2] for i in range(10)] == expected
    assert [decoder[f"decoder.{i}.conv.weight"] for i in range(10, 14)] == [(1, c, 3, 3) for c in (16, 32, 64, 128)]
    assert len(decoder) == 28
    wide = shapes(parts("resnet50")["depth"])
    assert [wide[f"decoder.{i}.conv.conv.weight"][1] for i in (0, 1, 3, 5)] == [2048, 1280, 640, 320]


def test_pose_networks_have_the_published_tensors():
    separate = parts("resnet18", "separate_resnet18")
    assert shapes(separate["pose_encoder"])["encoder.conv1.weight"] == (64, 6, 7, 7)
    assert shapes(separate["pose"]) == {
        "net.0.weight": (256, 512, 1, 1),
        "net.0.bias": (256,),
        "net.1.weight": (256, 256, 3, 3),
        "net.1.bias": (256,),
        "net.2.weight": (256, 256, 3, 3),
        "net.2.bias": (256,),
        "net.3.weight": (12, 256, 1, 1),
        "net.3.bias": (12,),
    }
    shared = parts("resnet18", "shared_resnet18")
    assert "pose_encoder" not in shared
    assert shapes(shared["pose"])["net.1.weight"] == (256, 512, 3, 3)
    assert shapes(shared["pose"])["net.3.weight"] == (6, 256, 1, 1)
    posecnn = parts("resnet18", "posecnn")
    assert "pose_encoder" not in posecnn
    assert len(shapes(posecnn["pose"])) == 16
    assert shapes(posecnn["pose"])["pose_conv.weight"] == (6, 256, 1, 1)
    assert shapes(posecnn["pose"])["net.1.weight"] == (32, 16, 5, 5)


def test_rt_monodepth_s_has_its_published_tensors():
    rt = parts("rt_monodepth_s")
    assert shapes(rt["encoder"])["convs.2.0.weight"] == (192, 128, 3, 3)
    assert "conv1.bias" not in shapes(rt["encoder"])
    assert shapes(rt["depth"])["decoder.0.conv.weight"] == (96, 192, 3, 3)
    assert shapes(rt["depth"])["decoder.10.conv3.weight"] == (1, 64, 3, 3)
