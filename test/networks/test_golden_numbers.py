# SPDX-License-Identifier: Apache-2.0
"""Reference numbers of the networks with formula weights and images (ResNet-18, 640x192)."""

import pytest
import torch

from monodepth_ros.networks.disparity import disparity_to_depth
from monodepth_ros.networks.formula_weights import fill_networks_with_formula, formula_image
from monodepth_ros.networks.registry import build_depth, build_pose

PRECISIONS = [(torch.float32, 1e-4), (torch.float64, 1e-9)]


def image(phase, dtype):
    return torch.from_numpy(formula_image(phase))[None].to(dtype)


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
def test_depth_resnet18_gives_the_reference_disparities(dtype, tolerance):
    network = build_depth("resnet18").to(dtype).eval()
    fill_networks_with_formula(network)
    with torch.inference_mode():
        disparity = network(image(0.0, dtype))
    found = {
        "scale 0 mean": disparity[0].mean(),
        "scale 0 std": disparity[0].std(),
        "scale 0 [3, 5]": disparity[0][0, 0, 3, 5],
        "scale 0 [0, 0]": disparity[0][0, 0, 0, 0],
        "scale 1 mean": disparity[1].mean(),
        "scale 1 [3, 5]": disparity[1][0, 0, 3, 5],
        "scale 2 mean": disparity[2].mean(),
        "mean depth": disparity_to_depth(disparity[0], 0.1, 100.0).mean(),
    }
    assert {name: value.item() for name, value in found.items()} == pytest.approx(
        {
            "scale 0 mean": 0.9942239428925386,
            "scale 0 std": 0.0245738569634,
            "scale 0 [3, 5]": 0.9966585637113223,
            "scale 0 [0, 0]": 0.9995931398920073,
            "scale 1 mean": 0.18755306188612172,
            "scale 1 [3, 5]": 0.020852827100656057,
            "scale 2 mean": 0.13822390154310096,
            "mean depth": 0.10066459736223098,
        },
        abs=tolerance,
    )


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
def test_separate_pose_network_gives_the_reference_motion(dtype, tolerance):
    pose = build_pose("separate_resnet18").to(dtype).eval()
    fill_networks_with_formula(build_depth("rt_monodepth_s"), pose)
    with torch.inference_mode():
        axis_angle, translation = pose(image(0.0, dtype), image(0.7, dtype))
    assert axis_angle[0].tolist() == pytest.approx(
        [0.082392396635833, -0.3476267160316218, 0.11310209059155471], abs=tolerance
    )
    assert translation[0].tolist() == pytest.approx(
        [0.19320270801496603, -0.1700958391765054, -0.29535399364019743], abs=tolerance
    )
