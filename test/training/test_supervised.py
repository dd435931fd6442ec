"""Losses against exact depth and motion, and the loop around them."""

import math

import pytest
import torch

from monodepth_ros.geometry.warp import transform_from_axis_angle
from monodepth_ros.training.supervised import FARTHEST, Schedule, fit, log_depth_loss, motion_loss

TRUTH = 5.0 + 40.0 * torch.rand((2, 1, 8, 12), generator=torch.Generator().manual_seed(0))


def test_exact_depth_has_no_loss_whatever_stands_for_sky_and_for_nothing():
    truth = TRUTH.clone()
    truth[0, 0, 0] = math.inf
    truth[1, 0, :, 3] = math.nan
    depth = truth.nan_to_num(nan=17.0, posinf=3 * FARTHEST)
    assert log_depth_loss(depth, truth).item() == pytest.approx(0.0, abs=1e-6)


def test_a_constant_factor_costs_its_logarithm():
    assert log_depth_loss(1.2 * TRUTH, TRUTH).item() == pytest.approx(math.log(1.2), rel=1e-4)


def test_gradients_are_finite_beside_invalid_truth():
    truth = TRUTH.clone()
    truth[0, 0, 2:5] = math.nan
    depth = (2 * TRUTH).requires_grad_()
    log_depth_loss(depth, truth).backward()
    assert torch.isfinite(depth.grad).all() and depth.grad.abs().sum() > 0


def test_exact_motion_has_no_loss_and_each_part_of_an_error_counts():
    axis_angle, translation = torch.tensor([[0.01, 0.02, -0.03]]), torch.tensor([[0.1, 0.0, -0.5]])
    truth = transform_from_axis_angle(axis_angle, translation)
    assert motion_loss(axis_angle, translation, truth).item() == pytest.approx(0.0, abs=1e-6)
    moved = motion_loss(axis_angle, translation + torch.tensor([0.3, 0.0, 0.4]), truth).item()
    assert moved == pytest.approx(0.5, rel=1e-3)
    # A rotation error of a small angle a has the Frobenius norm sqrt(2) a.
    turned = motion_loss(torch.tensor([[0.01, 0.03, -0.03]]), translation, truth).item()
    assert turned == pytest.approx(10 * math.sqrt(2) * 0.01, rel=1e-2)


def test_the_loop_lowers_the_loss_and_reports_it():
    torch.manual_seed(0)
    network = torch.nn.Linear(4, 1)
    inputs = torch.randn(64, 4)
    targets = inputs @ torch.tensor([[1.0], [-2.0], [0.5], [3.0]])
    reported = []
    schedule = Schedule(400, 0.05, lambda step, loss: reported.append((step, loss)))

    def batches():
        while True:
            yield inputs, targets

    fit(network, batches(), lambda x, y: (network(x) - y).square().mean(), schedule)
    assert [step for step, _ in reported] == list(range(50, 401, 50))
    assert reported[-1][1] < 0.01 * reported[0][1], reported
    assert not network.training


def test_a_loss_that_is_not_finite_ends_the_training():
    network = torch.nn.Linear(1, 1)
    batches = iter([(torch.tensor([[math.nan]]),)] * 3)
    with pytest.raises(FloatingPointError, match="step 0"):
        fit(network, batches, lambda x: network(x).mean(), Schedule(3, 0.1, lambda step, loss: None))
