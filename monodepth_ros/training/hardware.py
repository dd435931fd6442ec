# SPDX-License-Identifier: Apache-2.0
"""Device and arithmetic of a training."""

import torch

from monodepth_ros.inference.cpu_arithmetic import cpu_has_bf16
from monodepth_ros.inference.pytorch import find_device
from monodepth_ros.training.kept_memory import keep_freed_memory
from monodepth_ros.training.processes import Processes
from monodepth_ros.training.samples.clip import TrainingError


def training_device(name: str, processes: Processes) -> torch.device:
    """Device for loop.device in this process; each of several processes gets its own GPU.

    On a CPU the process is also set up for training; `restore_arithmetic` undoes that for this thread. Raises
    EngineError if there is no such device.
    """
    if processes.count > 1 and name != "cpu":
        name = "cpu" if name == "auto" and not torch.cuda.is_available() else f"cuda:{processes.local_rank}"
    device = find_device(name)
    if device.type == "cpu":
        keep_freed_memory()
        # Saturated sigmoids and ELUs have gradients below 1e-38, with which a CPU computes eight times slower.
        torch.set_flush_denormal(True)
    return device


def restore_arithmetic() -> None:
    """Let this thread compute with denormal numbers again: packed colours of point clouds are such."""
    torch.set_flush_denormal(False)


def training_precision(name: str, device: torch.device) -> str:
    """fp32, bf16 or fp16 for loop.precision on a device. Raises TrainingError for fp16 on a CPU."""
    if name == "auto":
        return "bf16" if device.type == "cuda" or cpu_has_bf16() else "fp32"
    if name == "fp16" and device.type == "cpu":
        raise TrainingError("loop.precision fp16 needs a CUDA device: choose auto, fp32 or bf16 on the CPU")
    return name
