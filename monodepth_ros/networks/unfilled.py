# SPDX-License-Identifier: Apache-2.0
"""Networks without initial values, to load weights into."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


class _NoRandomValues(TorchFunctionMode):
    """Skip the filling of tensors with random numbers.

    It would have no effect on the meta device, but PyTorch imports 800 modules for it, which takes a second.
    """

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        return args[0] if function is torch.Tensor.normal_ else function(*args, **(kwargs or {}))


@contextmanager
def unfilled() -> Iterator[None]:
    """A context in which new modules have shapes and types, but no memory: they are on the meta device."""
    with torch.device("meta"), _NoRandomValues():
        yield
