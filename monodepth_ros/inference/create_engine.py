# SPDX-License-Identifier: Apache-2.0
"""The choice of an engine."""

from collections.abc import Callable
from pathlib import Path

from monodepth_ros.inference.cpu_arithmetic import cpu_has_bf16
from monodepth_ros.inference.engine import Engine, EngineError
from monodepth_ros.inference.parity import check_parity
from monodepth_ros.inference.pytorch import PytorchEngine, find_device
from monodepth_ros.inference.pytorch_cuda import CudaEngine
from monodepth_ros.networks.checkpoint import Checkpoint, load_checkpoint

ENGINES = ("auto", "pytorch", "openvino", "onnxruntime")


def create_engine(
    checkpoint: Checkpoint | str | Path,
    device: str = "auto",
    precision: str = "auto",
    engine: str = "auto",
    warn: Callable[[str], None] = lambda line: None,
    compile: bool = False,
) -> Engine:
    """The engine for a checkpoint (or its path) on a device: auto (CUDA where there is one), cpu, cuda or cuda:N.

    precision: fp32, bf16, fp16, or auto: on CUDA fp16 of PyTorch; on a CPU that computes in bf16, bf16 of PyTorch and
    OpenVINO where that agrees with PyTorch in fp32 on this checkpoint; else fp32. engine: pytorch, openvino (CPU),
    onnxruntime, or auto: on a CPU the first of openvino and onnxruntime that is installed and agrees with PyTorch on
    this checkpoint, else pytorch. `warn` gets the reason where an engine, or bf16 of one, is refused. compile: with
    torch.compile, for engine pytorch, which auto then takes. EngineError for an engine, device or precision that is
    unknown or not there and for networks that do not compile, CheckpointError for a bad path.
    """
    if engine not in ENGINES:
        raise EngineError(f"unknown engine {engine!r}: expected one of {', '.join(ENGINES)}")
    if compile and engine not in ("auto", "pytorch"):
        raise EngineError(f"engine {engine} takes no compile: use engine pytorch, or leave compile out")
    if not isinstance(checkpoint, Checkpoint):
        checkpoint = load_checkpoint(checkpoint)
    on_cpu = find_device(device).type == "cpu"
    if engine == "pytorch" or (engine == "auto" and (compile or not on_cpu)):
        return _create_pytorch(checkpoint, device, precision, warn, compile)
    # A runtime brings its libraries along; only those that may be used are imported.
    from monodepth_ros.inference.graph_engine import create_graph_engine
    from monodepth_ros.inference.graph_runtime import RuntimeMissing
    from monodepth_ros.inference.onnxruntime import OnnxRuntime
    from monodepth_ros.inference.openvino import openvino_runtimes

    runtimes = {  # the fastest on a CPU first
        "openvino": lambda: openvino_runtimes(device, precision),
        "onnxruntime": lambda: [OnnxRuntime(device, precision)],
    }
    if engine != "auto":
        return create_graph_engine(checkpoint, *runtimes[engine](), warn=warn)
    chosen, reasons = None, []
    for make in runtimes.values():
        try:
            chosen = create_graph_engine(checkpoint, *make(), warn=reasons.append)
            break
        except RuntimeMissing:
            continue
        except EngineError as error:
            reasons.append(str(error))
    chosen = chosen or _create_pytorch(
        checkpoint, device, precision, warn, compile
    )  # raises by itself what is wrong for all
    for line in reasons:
        warn(line)
    return chosen


def _create_pytorch(
    checkpoint: Checkpoint, device: str, precision: str, warn: Callable[[str], None], compile: bool
) -> Engine:
    on_cuda = find_device(device).type == "cuda"

    def make(name: str) -> Engine:
        engine = CudaEngine(checkpoint, device, name, warn) if on_cuda else PytorchEngine(checkpoint, device, name)
        if compile:
            engine.compile()
        return engine

    if precision == "auto" and not on_cuda and cpu_has_bf16():
        engine = make("bf16")
        try:
            check_parity(engine, checkpoint)
            return engine
        except EngineError as error:
            warn(f"{error}; precision auto takes fp32")
    engine = make(precision)
    if compile:  # another implementation than PyTorch's own
        check_parity(engine, checkpoint)
    return engine
