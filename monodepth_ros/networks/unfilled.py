# SPDX-License-Identifier: Apache-2.0
"""Networks without initial values, which weights are about to be loaded into."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.overrides import TorchFunctionMode


class _NoRandomValues(TorchFunctionMode):
    """Leaves tensors alone that would be filled with random numbers.

    On the meta device that would have no effect, but it makes PyTorch import 800 modules first: a second.
    """

    def __torch_function__(self, function, types, args=(), kwargs=None):
        return args[0] if function is torch.Tensor.normal_ else function(*args, **(kwargs or {}))


@contextmanager
def unfilled() -> Iterator[None]:
    """Modules that are made in this context have shapes and types, but no memory: they are on the meta device."""
    with torch.device("meta"), _NoRandomValues():
        yield
