# SPDX-License-Identifier: Apache-2.0
"""Settings of the networks' execution."""

from dataclasses import dataclass

from monodepth_ros.settings.schema import setting


@dataclass(frozen=True)
class EngineConfig:
    """The checkpoint, and the engine and arithmetic that run it."""

    checkpoint: str = setting(
        "",
        "A .safetensors file of this package, a folder of weights in monodepth2's format, or the name of a checkpoint that "
        "`monodepth download` has fetched; empty: the bundled demonstration checkpoint, trained on synthetic images.",
    )
    device: str = setting("auto", "auto (CUDA where there is one), cpu, cuda or cuda:N.")
    engine: str = setting(
        "auto",
        "What runs the networks. auto: PyTorch on CUDA; on a CPU the first of OpenVINO and ONNX Runtime that is installed and "
        "agrees with PyTorch, else PyTorch.",
        choices=("auto", "pytorch", "openvino", "onnxruntime"),
    )
    precision: str = setting(
        "auto",
        "Arithmetic of the networks. auto: fp16 of PyTorch on CUDA; bf16 of OpenVINO and PyTorch on a CPU that has it (AVX-512 bf16 "
        "or AMX), where it agrees with fp32 on this checkpoint; else fp32.",
        choices=("auto", "fp32", "bf16", "fp16"),
    )
    compile: bool = setting(
        False,
        "Compile the networks with torch.compile: for engine pytorch, which auto then takes. Needs a C++ compiler; the first start "
        "takes a minute or more.",
    )
