# SPDX-License-Identifier: Apache-2.0
"""Photometric error with its structural term, and smoothness."""

import pytest
import torch
import torch.nn.functional as F

from monodepth_ros.losses import photometric
from monodepth_ros.losses.photometric import photometric_error
from monodepth_ros.losses.smoothness import smoothness
from monodepth_ros.networks.formula_weights import formula_image

PRECISIONS = [(torch.float32, 1e-4), (torch.float64, 1e-9)]


def pair(dtype):
    return tuple(torch.from_numpy(formula_image(phase))[None].to(dtype) for phase in (0.0, 0.7))


def ssim_error(first, second):
    """Error per pixel and channel: each channel is compared as an image."""
    each = (image.flatten(0, 1)[:, None] for image in (first, second))
    return photometric_error(*each, ssim_weight=1.0).view_as(first)


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
def test_ssim_error_gives_the_reference_numbers(dtype, tolerance):
    error = ssim_error(*pair(dtype))
    found = [error.mean().item(), error[0, 0, 0, 0].item(), error[0, 1, 100, 300].item()]
    assert found == pytest.approx([0.21412734437217218, 0.05523448117626395, 0.2355595232873201], abs=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
def test_photometric_error_gives_the_reference_number(dtype, tolerance):
    assert photometric_error(*pair(dtype)).mean().item() == pytest.approx(0.21475052736643038, abs=tolerance)


def test_equal_images_have_no_error_and_opposite_images_the_largest():
    image = pair(torch.float64)[0]
    assert photometric_error(image, image).abs().max() < 1e-12
    chessboard = (torch.arange(32)[:, None] + torch.arange(64)) % 2 * torch.ones(1, 3, 1, 1)
    assert ssim_error(chessboard, 1 - chessboard).max() <= 1.0
    assert photometric_error(chessboard, 1 - chessboard).min() > 0.95


def test_photometric_error_without_ssim_is_the_absolute_difference():
    first, second = pair(torch.float64)
    expected = (first - second).abs().mean(1, keepdim=True)
    assert (photometric_error(first, second, ssim_weight=0.0) - expected).abs().max() < 1e-12


@pytest.mark.parametrize("size", [(4, 5), (2, 2), (3, 7)])
@pytest.mark.parametrize("ssim_weight", [0.85, 1.0, 0.0])
def test_photometric_error_has_correct_gradients(size, ssim_weight):
    torch.manual_seed(0)
    image, target = torch.rand(2, 2, 2, *size, dtype=torch.float64)
    image.requires_grad_()
    assert torch.autograd.gradcheck(lambda image: photometric_error(image, target, ssim_weight), (image,))


@pytest.mark.parametrize("shape", [(3, 3, 16, 24), (1, 1, 2, 3)])
def test_photometric_error_follows_its_equations(shape):
    torch.manual_seed(0)
    image, target = torch.rand(2, *shape, dtype=torch.float64)
    x, y = (F.pad(tensor, (1, 1, 1, 1), mode="reflect") for tensor in (image, target))
    mean = lambda tensor: F.avg_pool2d(tensor, 3, 1)  # noqa: E731
    mx, my = mean(x), mean(y)
    vx, vy, covariance = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    ssim = (2 * mx * my + 1e-4) * (2 * covariance + 9e-4) / ((mx * mx + my * my + 1e-4) * (vx + vy + 9e-4))
    expected = 0.85 * ((1 - ssim) / 2).clamp(0, 1).mean(1, keepdim=True) + 0.15 * (image - target).abs().mean(
        1, keepdim=True
    )
    assert (photometric_error(image, target) - expected).abs().max() < 1e-12


def test_comparing_a_batch_in_parts_does_not_change_the_error(monkeypatch):
    torch.manual_seed(0)
    target, image = torch.rand(2, 3, 3, 8, 12, dtype=torch.float64)
    results = []
    for cached in (10**9, 2 * target[0].numel(), 1):
        monkeypatch.setattr(photometric, "CACHED", cached)
        given = image.clone().requires_grad_()
        error = photometric_error(given, target)
        (error * torch.arange(12.0)).sum().backward()
        results.append((error.detach(), given.grad))
    for error, gradient in results[1:]:
        assert torch.equal(error, results[0][0]) and torch.equal(gradient, results[0][1])


def test_smoothness_is_zero_for_constant_disparity_and_ignores_its_magnitude():
    image = pair(torch.float64)[0]
    disparity = image.mean(1, keepdim=True) + 0.1
    assert smoothness(torch.full_like(disparity, 0.3), image) == 0
    assert smoothness(5 * disparity, image).item() == pytest.approx(smoothness(disparity, image).item(), rel=1e-6)


def test_smoothness_follows_its_formula_on_a_ramp():
    # d = x / mean: one step of 1 / 1.5 per column, none per row; the image steps by 0.5 everywhere.
    columns = torch.arange(4, dtype=torch.float64).expand(1, 1, 3, 4)
    expected = (1 / (1.5 + 1e-7)) * torch.exp(torch.tensor(-0.5, dtype=torch.float64))
    assert smoothness(columns, 0.5 * columns.expand(1, 3, 3, 4)).item() == pytest.approx(expected.item(), rel=1e-12)


def test_smoothness_is_lower_where_the_image_has_an_edge():
    disparity = torch.ones(1, 1, 8, 8)
    disparity[..., 4:] = 2
    flat, edge = torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8)
    edge[..., 4:] = 1
    assert smoothness(disparity, edge) < 0.5 * smoothness(disparity, flat)
