# SPDX-License-Identifier: Apache-2.0
"""Named tensors from a file are checked and loaded into a module."""

from collections.abc import Mapping, Sequence
from typing import TypeGuard

import numpy as np
import torch
from torch import Tensor, nn

from monodepth_ros.networks.checkpoints.header import CheckpointError

FLOAT_TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
# The count of a training run's batches: old versions of PyTorch did not write it, and inference does not need it.
OPTIONAL_SUFFIX = "num_batches_tracked"


def load_weights(module: nn.Module, tensors: Mapping[str, object], source: str) -> None:
    """Load copies of the tensors as float32 into a module, which may be on the meta device.

    Raises CheckpointError, in which `source` names the file, for a missing, unknown or wrongly shaped tensor and for
    values that are not finite. The module is unchanged then.
    """
    expected = module.state_dict()
    missing = [key for key in expected if key not in tensors and not key.endswith(OPTIONAL_SUFFIX)]
    foreign = [key for key in tensors if key not in expected]
    if missing or foreign:
        found = f"lacks {_some(missing)}" if missing else f"holds unknown {_some(foreign)}"
        raise CheckpointError(f"{source}: {found}; it is damaged or of another network, get the file again")
    checked = {}
    for key, target in expected.items():
        if key in tensors:
            checked[key] = _checked(tensors[key], target, f"{source}: {key}")
        else:
            checked[key] = torch.zeros(target.shape, dtype=target.dtype)
    module.load_state_dict(checked, assign=True)


def _checked(tensor: object, target: Tensor, name: str) -> Tensor:
    if not is_plain_tensor(tensor):
        raise CheckpointError(f"{name} is not a plain tensor; the file is damaged or foreign")
    # The shape is checked before any copy, because a small file can describe a tensor of any size.
    if tensor.shape != target.shape:
        raise CheckpointError(
            f"{name} has shape {tuple(tensor.shape)}, expected {tuple(target.shape)}; the file is of another network"
        )
    if not target.is_floating_point():
        if tensor.is_floating_point() or tensor.is_complex():
            raise CheckpointError(f"{name} is {tensor.dtype}, expected whole numbers; the file is damaged or foreign")
        return tensor.to(target.dtype, copy=True)
    if tensor.dtype not in FLOAT_TYPES:
        raise CheckpointError(f"{name} is {tensor.dtype}, expected floating point; the file is damaged or foreign")
    values = torch.empty(target.shape).copy_(tensor.detach())
    count = values.numel() - int(np.isfinite(values.numpy()).sum())
    if count:
        raise CheckpointError(
            f"{name} holds {count} values that are not finite; its training diverged or the file is damaged"
        )
    return values


def is_plain_tensor(value: object) -> TypeGuard[Tensor]:
    """Whether the value is a dense tensor in memory: not sparse, quantised or on the meta device."""
    if not isinstance(value, Tensor) or value.is_meta or value.is_quantized:
        return False
    return value.layout == torch.strided


def _some(keys: Sequence[str]) -> str:
    shown = ", ".join(repr(key)[:80] for key in keys[:2])
    return f"{len(keys)} tensors ({shown}{', ...' if len(keys) > 2 else ''})"
