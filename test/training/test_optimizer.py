# SPDX-License-Identifier: Apache-2.0
"""Adam, the norm of the gradient, and the learning rate schedule."""

import pytest
import torch
from torch import nn

from monodepth_ros.training.optimizer import OptimizerConfig, gradient_norm, make_adam
from monodepth_ros.training.schedule import rate_at


def network_with_gradient(seed=0):
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 1))
    network(torch.rand(2, 3, 8, 8)).square().sum().backward()
    return network


def test_adam_matches_plain_adam():
    ours, plain = network_with_gradient(), network_with_gradient()
    optimizers = make_adam(ours.parameters(), 1e-2), torch.optim.Adam(plain.parameters(), 1e-2)
    for _ in range(3):
        for optimizer in optimizers:
            optimizer.step()
    for found, expected in zip(ours.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(found, expected, atol=1e-7)


def test_adam_falls_back_without_the_fused_version(monkeypatch):
    plain = torch.optim.Adam

    def old(parameters, rate, fused=None):
        if fused:
            raise RuntimeError("`fused=True` requires all the params to be CUDA")
        return plain(parameters, rate)

    monkeypatch.setattr(torch.optim, "Adam", old)
    assert make_adam(network_with_gradient().parameters(), 1e-2).param_groups[0]["lr"] == 1e-2


@pytest.mark.parametrize("limit", [0.0, 0.5, 1e6])
def test_the_gradient_is_clipped_to_the_limit(limit):
    network = network_with_gradient()
    network.append(nn.Conv2d(2, 2, 1))  # has no gradient
    before = torch.cat([weight.grad.flatten() for weight in network.parameters() if weight.grad is not None])
    assert gradient_norm(network.parameters(), limit).item() == pytest.approx(before.norm().item(), rel=1e-5)
    after = torch.cat([weight.grad.flatten() for weight in network.parameters() if weight.grad is not None])
    shortened = limit == 0.5
    assert after.norm().item() == pytest.approx(limit if shortened else before.norm().item(), rel=1e-4)


def test_a_gradient_that_is_not_finite_has_no_finite_norm():
    network = network_with_gradient()
    network[0].weight.grad[0, 0, 0, 0] = float("inf")
    assert not torch.isfinite(gradient_norm(network.parameters()))


def test_the_schedules_and_the_warm_up():
    config = OptimizerConfig(step_epochs=2, warm_up=4)
    assert [rate_at(step, 10, 60, config) for step in (0, 3, 4, 19, 20, 40)] == pytest.approx(
        [0.25, 1, 1, 1, 0.1, 0.01]
    )
    cosine = OptimizerConfig(schedule="cosine")
    assert [rate_at(step, 10, 60, cosine) for step in (0, 30, 60)] == pytest.approx([1, 0.5, 0])
    assert rate_at(59, 10, 60, OptimizerConfig(schedule="constant")) == 1
