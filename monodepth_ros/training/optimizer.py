# SPDX-License-Identifier: Apache-2.0
"""Adam over the weights of a network, and the norm of their gradient."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from monodepth_ros.settings.schema import setting


@dataclass(frozen=True)
class OptimizerConfig:
    """Adam and its learning rate schedule."""

    learning_rate: float = setting(1e-4, "Initial learning rate, after the warm-up.", minimum=0.0, maximum=1.0)
    epochs: int = setting(20, "Passes over all samples.", minimum=1, maximum=100000)
    schedule: str = setting(
        "step",
        "Learning rate schedule: multiplied by step_factor every step_epochs (step), falling to 0 along a cosine, or"
        " constant.",
        choices=("step", "cosine", "constant"),
    )
    step_epochs: int = setting(15, "With schedule step: epochs between reductions.", minimum=1, maximum=100000)
    step_factor: float = setting(
        0.1, "With schedule step: factor of the learning rate at each reduction.", minimum=1e-6, maximum=1.0
    )
    warm_up: int = setting(
        0, "Steps over which the learning rate grows linearly from 0.", unit="steps", minimum=0, maximum=1000000
    )
    clip_gradient: float = setting(
        0.0, "Clip the gradient to this norm (over all weights); 0 disables clipping.", minimum=0.0, maximum=1e6
    )
    ema: float = setting(
        0.0,
        "Decay of an exponential moving average of the weights, which is validated and saved instead; 0 disables it.",
        minimum=0.0,
        maximum=0.99999,
    )


def make_adam(parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Adam:
    """Adam, fused into one pass over the weights if PyTorch can (on a CPU from 2.4 on)."""
    parameters = list(parameters)
    try:
        return torch.optim.Adam(parameters, learning_rate, fused=True)
    except RuntimeError:
        return torch.optim.Adam(parameters, learning_rate)


def gradient_norm(parameters: Iterable[nn.Parameter], limit: float = 0.0) -> Tensor:
    """Norm of the gradient over all weights, a scalar. A gradient longer than `limit` is clipped to it; 0: no limit."""
    parameters = list(parameters)
    if limit:
        return nn.utils.clip_grad_norm_(parameters, limit)
    norms = [torch.linalg.vector_norm(weight.grad) for weight in parameters if weight.grad is not None]
    return torch.linalg.vector_norm(torch.stack(norms))
