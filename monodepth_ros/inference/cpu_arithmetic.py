# SPDX-License-Identifier: Apache-2.0
"""Arithmetic supported by this machine's CPU."""

import torch


def cpu_has_bf16() -> bool:
    """Whether this PyTorch reports bf16 multiplication in hardware; without it, bf16 is slower than float32."""
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16"))
