# SPDX-License-Identifier: Apache-2.0
"""What this machine's CPU computes in."""

import torch


def cpu_has_bf16() -> bool:
    """Whether the CPU multiplies bf16 itself, as far as this PyTorch can say. Others take longer than in float32."""
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16"))
