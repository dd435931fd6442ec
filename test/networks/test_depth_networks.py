# SPDX-License-Identifier: Apache-2.0
"""Depth networks: sizes, scales, parameters, export."""

import warnings

import pytest
import torch

from monodepth_ros.networks.depth_network import NetworkError
from monodepth_ros.networks.formula_weights import fill_networks_with_formula
from monodepth_ros.networks.registry import DEPTH_NETWORKS, build_depth


def ready(name):
    network = build_depth(name).eval()
    fill_networks_with_formula(network)
    return network


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "rt_monodepth_s"])
@pytest.mark.parametrize("size", [(64, 96), (32, 64), (32, 32), (96, 224)])
def test_every_multiple_of_32_works_and_scales_halve_the_size(name, size):
    height, width = size
    network = build_depth(name).eval()
    with torch.inference_mode():
        disparities = network(torch.rand(2, 3, height, width))
    assert set(disparities) == set(network.scales)
    for scale, disparity in disparities.items():
        assert disparity.shape == (2, 1, height >> scale, width >> scale)
        assert disparity.min() >= 0 and disparity.max() <= 1


@pytest.mark.parametrize("name", ["resnet18", "rt_monodepth_s"])
@pytest.mark.parametrize("size", [(190, 640), (192, 630), (0, 64), (375, 1242)])
def test_other_sizes_are_refused_with_the_nearest_valid_size(name, size):
    height, width = size
    with pytest.raises(NetworkError, match=f"{width}x{height}.*multiples of 32"):
        build_depth(name)(torch.zeros(1, 3, height, width))


@pytest.mark.parametrize("name", ["resnet18", "rt_monodepth_s"])
def test_single_scales_equal_those_of_a_full_decode(name):
    network = ready(name)
    with torch.inference_mode():
        features = network.encode(torch.rand(1, 3, 64, 96))
        everything = network.decode(features)
        for scale in network.scales:
            alone = network.decode(features, (scale,))
            assert list(alone) == [scale]
            assert torch.equal(alone[scale], everything[scale])


@pytest.mark.parametrize("name", ["resnet18", "rt_monodepth_s"])
def test_unneeded_heads_are_not_computed(name):
    network = build_depth(name).eval()
    computed = []
    for scale, head in zip(network.scales, network.heads, strict=True):
        head.register_forward_hook(lambda *_, scale=scale: computed.append(scale))
    network(torch.rand(1, 3, 64, 96), (0,))
    assert computed == [0]


@pytest.mark.parametrize("scales", [(4,), (), (-1, 0)])
def test_unknown_scales_are_refused(scales):
    network = build_depth("rt_monodepth_s")
    with pytest.raises(NetworkError, match="this network has the scales"):
        network(torch.zeros(1, 3, 32, 32), scales)


def test_an_unknown_name_is_refused_with_the_known_names():
    with pytest.raises(NetworkError, match="'resnet20'; known: resnet18, .*rt_monodepth_s"):
        build_depth("resnet20")


def test_parameter_counts_are_those_of_the_published_networks():
    def count(module):
        return sum(parameter.numel() for parameter in module.parameters())

    with torch.device("meta"):
        networks = {name: build_depth(name) for name in DEPTH_NETWORKS}
    assert count(networks["resnet18"].encoder) == 11_176_512
    assert count(networks["resnet18"].decoder) == 3_152_724
    assert count(networks["resnet50"].decoder) == 9_014_100
    assert count(networks["rt_monodepth_s"].encoder) == 858_048
    assert count(networks["rt_monodepth_s"].decoder) == 376_979
    assert count(networks["resnet152"].encoder) > count(networks["resnet101"].encoder) > 40_000_000


@pytest.mark.parametrize("name", ["resnet18", "rt_monodepth_s"])
def test_channels_last_gives_the_same_disparity(name):
    network = ready(name)
    image = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        expected = network(image)[0]
        found = network.to(memory_format=torch.channels_last)(image.contiguous(memory_format=torch.channels_last))[0]
    assert (found - expected).abs().max() < 1e-5


class FullResolution(torch.nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, image):
        return self.network(image, (0,))[0]


def test_network_exports_and_traces_to_the_same_numbers():
    module = FullResolution(ready("resnet18")).eval()
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns about every size check
        expected = module(image)
        exported = torch.export.export(module, (image,)).module()(image)
        traced = torch.jit.trace(module, image)(image)
    assert (exported - expected).abs().max() < 1e-6
    assert (traced - expected).abs().max() < 1e-6


@pytest.mark.parametrize("name", ["resnet18", "rt_monodepth_s"])
def test_every_parameter_has_a_gradient(name):
    network = build_depth(name).train()
    torch.manual_seed(0)
    sum(disparity.sum() for disparity in network(torch.rand(2, 3, 64, 96)).values()).backward()
    without = [
        key for key, parameter in network.named_parameters() if parameter.grad is None or not parameter.grad.any()
    ]
    assert not without
