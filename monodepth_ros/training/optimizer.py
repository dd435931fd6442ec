"""Adam over a network's weights, and the length of their gradient."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn


def parameter_groups(whole: nn.Module, part: nn.Module, part_share: float) -> list[dict[str, Any]]:
    """What is trained of a module, each group with its 'share' of the learning rate: that of a part of it, then the rest."""
    inside = {id(weight) for weight in part.parameters()}
    shares = {part_share: [], 1.0: []} if part_share != 1.0 else {1.0: []}
    for weight in whole.parameters():
        if weight.requires_grad:
            shares[part_share if id(weight) in inside else 1.0].append(weight)
    return [{"params": weights, "share": share} for share, weights in shares.items() if weights]


def make_adam(parameters: Iterable[nn.Parameter | dict[str, Any]], learning_rate: float) -> torch.optim.Adam:
    """Adam over parameters or groups of them, in one pass over the weights where this PyTorch has that (on a CPU from 2.4 on)."""
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
