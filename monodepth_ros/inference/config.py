# SPDX-License-Identifier: Apache-2.0
"""Settings of the inference engine."""

from dataclasses import dataclass

from monodepth_ros.settings.schema import setting

ENGINES = ("auto", "pytorch", "openvino", "onnxruntime")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")


@dataclass(frozen=True)
class EngineConfig:
    """The checkpoint, and the engine and precision that run it."""

    checkpoint: str = setting(
        "",
        "Checkpoint to run: a .safetensors file of this package, a folder of weights in monodepth2's format, or the "
        "name of a checkpoint fetched by `monodepth download`. Empty: the bundled one, demonstration, learned from "
        "synthetic streets.",
    )
    device: str = setting("auto", "Device: cpu, cuda, cuda:N, or auto (CUDA if available, else the CPU).")
    engine: str = setting(
        "auto",
        "Inference engine. auto: PyTorch on CUDA; on a CPU the first of OpenVINO and ONNX Runtime that is installed "
        "and agrees with PyTorch, else PyTorch.",
        choices=ENGINES,
    )
    precision: str = setting(
        "auto",
        "Arithmetic of the networks. auto: fp16 on CUDA; bf16 on a CPU that supports it (AVX-512 bf16 or AMX), with "
        "OpenVINO or PyTorch, if it agrees with fp32 on this checkpoint; else fp32. Set fp32 for the same arithmetic "
        "on every machine.",
        choices=PRECISIONS,
    )
    compile: bool = setting(
        False,
        "Compile the networks with torch.compile. Works with engine pytorch, which auto then selects. Needs a C++ "
        "compiler; the first start takes a minute or more.",
    )
