"""Adam over a network's weights, and the length of their gradient."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


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
