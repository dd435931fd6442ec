# SPDX-License-Identifier: Apache-2.0
"""Each term of the objective against its equation."""

import math

import pytest
import torch

from monodepth_ros.losses.brightness import match_brightness
from monodepth_ros.losses.depth_consistency import depth_inconsistency
from monodepth_ros.losses.photometric import PhotometricTarget, photometric_error
from monodepth_ros.losses.predictive_mask import masked_reprojection
from monodepth_ros.losses.reprojection import combine_reprojections, still_error
from monodepth_ros.losses.velocity import velocity_error

REPROJECTION = torch.tensor([0.1, 0.5, 0.3, 0.2]).view(1, 1, 2, 2)
OTHER_SOURCE = torch.tensor([0.4, 0.2, 0.3, 0.6]).view(1, 1, 2, 2)
IDENTITY = torch.tensor([0.3, 0.3, 0.05, 0.3]).view(1, 1, 2, 2)


def test_a_target_can_be_compared_with_many_reconstructions():
    torch.manual_seed(0)
    target, *images = torch.rand(4, 2, 3, 8, 9, dtype=torch.float64)
    shared = PhotometricTarget(target)
    for image in images:
        assert torch.equal(shared.error(image), photometric_error(image, target))
    assert shared.error(target).abs().max() < 1e-12


def test_the_minimum_takes_the_source_that_sees_the_pixel():
    errors = torch.cat((REPROJECTION, OTHER_SOURCE), dim=1)
    minimum, used = combine_reprojections(errors)
    average, _ = combine_reprojections(errors, combination="average")
    assert minimum.flatten().tolist() == pytest.approx([0.1, 0.2, 0.3, 0.2])
    assert average.flatten().tolist() == pytest.approx([0.25, 0.35, 0.3, 0.4])
    assert used.all()


@pytest.mark.parametrize("combination", ["minimum", "average"])
def test_a_pixel_that_is_better_unwarped_is_left_out_and_has_no_gradient(combination):
    errors = REPROJECTION.clone().requires_grad_()
    combined, used = combine_reprojections(errors, still_error(IDENTITY, combination), combination)
    assert combined.flatten().tolist() == pytest.approx([0.1, 0.3, 0.05, 0.2], abs=1e-4)
    assert used.flatten().tolist() == [True, False, False, True]
    combined.sum().backward()
    assert errors.grad.flatten().tolist() == [1, 0, 0, 1]


def test_noise_breaks_ties_either_way_and_is_repeatable():
    still = torch.full((1, 1, 50, 50), 0.2)
    masks = [
        combine_reprojections(still, still_error(still, generator=torch.Generator().manual_seed(seed)))[1]
        for seed in (1, 1, 2)
    ]
    assert torch.equal(masks[0], masks[1]) and not torch.equal(masks[0], masks[2])
    assert 0.4 < masks[0].float().mean() < 0.6


def test_an_unknown_combination_is_refused():
    with pytest.raises(ValueError, match="'median': expected one of minimum, average"):
        combine_reprojections(REPROJECTION, combination="median")


def test_a_predictive_mask_weighs_errors_and_costs_its_cross_entropy():
    mask = torch.full((1, 1, 2, 2), 0.5)
    errors, penalty = masked_reprojection(REPROJECTION, mask)
    assert torch.equal(errors, 0.5 * REPROJECTION)
    assert penalty.item() == pytest.approx(0.2 * math.log(2))
    assert masked_reprojection(REPROJECTION, torch.ones_like(mask))[1] == 0
    assert torch.isfinite(masked_reprojection(REPROJECTION, torch.zeros_like(mask))[1])


def test_velocity_error_compares_lengths_and_ignores_unknown_distances():
    translation = torch.tensor([[0.0, 0.3, 0.4], [1.0, 0.0, 0.0]])
    assert velocity_error(translation, torch.tensor([0.7, 1.5])).item() == pytest.approx(0.35)
    assert velocity_error(translation, torch.tensor([0.7, math.nan])).item() == pytest.approx(0.2)
    assert velocity_error(translation, torch.tensor([math.nan, math.nan])) == 0


@pytest.mark.parametrize("distance", [0.5, math.nan])
def test_velocity_error_has_a_finite_gradient_at_rest(distance):
    translation = torch.zeros(1, 3, requires_grad=True)
    velocity_error(translation, torch.tensor([distance])).backward()
    assert torch.isfinite(translation.grad).all()


def test_depth_inconsistency_is_relative_and_symmetric():
    first, second = torch.tensor([10.0, 2.0]).view(1, 1, 1, 2), torch.tensor([10.0, 6.0]).view(1, 1, 1, 2)
    expected = pytest.approx([0.0, 0.5])
    assert depth_inconsistency(first, second).flatten().tolist() == expected
    assert depth_inconsistency(7 * second, 7 * first).flatten().tolist() == expected


def test_an_affine_change_of_brightness_is_undone():
    torch.manual_seed(0)
    target = torch.rand(2, 3, 16, 16, dtype=torch.float64) * 0.6 + 0.2
    darker = 0.7 * target + 0.05
    assert (match_brightness(darker, target) - target).abs().max() < 1e-2
    assert (
        photometric_error(match_brightness(darker, target), target).mean()
        < 0.05 * photometric_error(darker, target).mean()
    )
    assert (match_brightness(target, target) - target).abs().max() < 1e-12


def test_networks_cannot_lower_the_error_through_the_brightness():
    """The gradient is that of a * image with constant a."""
    torch.manual_seed(0)
    image = (torch.rand(1, 1, 4, 4) * 0.2 + 0.4).requires_grad_()
    matched = match_brightness(image, torch.rand(1, 1, 8, 8) * 0.2 + 0.4)
    matched.sum().backward()
    assert image.grad.std() < 1e-6
    assert 0.4 < image.grad.mean() < 2.1
