# SPDX-License-Identifier: Apache-2.0
"""Adam over a network's weights, and the length of their gradient."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from monodepth_ros.settings.schema import setting


@dataclass(frozen=True)
class OptimizerConfig:
    """Adam and its schedule."""

    learning_rate: float = setting(1e-4, "At the start, after the warm-up.", minimum=0.0, maximum=1.0)
    epochs: int = setting(20, "Passes over all samples.", minimum=1, maximum=100000)
    schedule: str = setting("step", "How the learning rate goes on.", choices=("step", "cosine", "constant"))
    step_epochs: int = setting(15, "With step: epochs until it is multiplied.", minimum=1, maximum=100000)
    step_factor: float = setting(0.1, "With step: by what it is multiplied.", minimum=1e-6, maximum=1.0)
    warm_up: int = setting(0, "Steps in which it grows from 0.", unit="steps", minimum=0, maximum=1000000)
    clip_gradient: float = setting(
        0.0, "Longest gradient (its norm over all weights); 0: any.", minimum=0.0, maximum=1e6
    )
    ema: float = setting(
        0.0,
        "Decay of an exponential moving average of the weights, which is what is kept then; 0: none.",
        minimum=0.0,
        maximum=0.99999,
    )


def make_adam(parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Adam:
    """Adam in one pass over the weights where this PyTorch has that (on a CPU from 2.4 on)."""
    parameters = list(parameters)
    try:
        return torch.optim.Adam(parameters, learning_rate, fused=True)
    except RuntimeError:
        return torch.optim.Adam(parameters, learning_rate)


def gradient_norm(parameters: Iterable[nn.Parameter], limit: float = 0.0) -> Tensor:
    """The gradient's norm over all weights, a scalar; a gradient longer than `limit` is shortened to it (0: none is)."""
    parameters = list(parameters)
    if limit:
        return nn.utils.clip_grad_norm_(parameters, limit)
    norms = [torch.linalg.vector_norm(weight.grad) for weight in parameters if weight.grad is not None]
    return torch.linalg.vector_norm(torch.stack(norms))
