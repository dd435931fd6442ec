# SPDX-License-Identifier: Apache-2.0
"""Arrays that may be numpy's or torch's; torch itself is not imported, which would take seconds."""

import sys
from typing import Any

import numpy as np


def array_namespace(array: object) -> Any:
    """The module `torch` for a tensor, else `numpy`; does not import torch."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and isinstance(array, torch.Tensor) else np


def as_floating(array: Any) -> Any:
    """The array (numpy or torch) if it holds floats, else a float64 copy."""
    xp = array_namespace(array)
    if xp is np:
        array = np.asarray(array)
        return array if array.dtype.kind == "f" else array.astype(np.float64)
    return array if array.dtype.is_floating_point else array.to(xp.float64)
