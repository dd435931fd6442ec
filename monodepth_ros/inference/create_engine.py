# SPDX-License-Identifier: Apache-2.0
"""Creation of the engine that the settings ask for."""

from collections.abc import Callable
from pathlib import Path

from monodepth_ros.inference.config import ENGINES, EngineConfig
from monodepth_ros.inference.cpu_arithmetic import cpu_has_bf16
from monodepth_ros.inference.engine import Engine, EngineError
from monodepth_ros.inference.graph_engine import create_graph_engine
from monodepth_ros.inference.graph_runtime import GraphRuntime, RuntimeMissing
from monodepth_ros.inference.onnxruntime import OnnxRuntime
from monodepth_ros.inference.openvino import openvino_runtimes
from monodepth_ros.inference.parity import check_parity
from monodepth_ros.inference.pytorch import PytorchEngine, find_device
from monodepth_ros.inference.pytorch_cuda import CudaEngine
from monodepth_ros.networks.checkpoints.checkpoint import Checkpoint, load_checkpoint

Warn = Callable[[str], None]
"""Takes a line for the user."""


def create_engine(
    checkpoint: Checkpoint | str | Path,
    config: EngineConfig = EngineConfig(),
    warn: Warn = lambda line: None,
) -> Engine:
    """The engine for a checkpoint, or for the checkpoint at a path.

    config: its device, engine, precision and compile apply. `warn` gets the reason if an engine, or bf16 of one, is
    refused. EngineError for an engine, device or precision that is unknown or not available, and for networks that do
    not compile; CheckpointError for a bad path.
    """
    if config.engine not in ENGINES:
        raise EngineError(f"unknown engine {config.engine!r}: expected one of {', '.join(ENGINES)}")
    if config.compile and config.engine not in ("auto", "pytorch"):
        raise EngineError(f"engine {config.engine} cannot compile: use engine pytorch, or set compile to false")
    if not isinstance(checkpoint, Checkpoint):
        checkpoint = load_checkpoint(checkpoint)
    on_cpu = find_device(config.device).type == "cpu"
    if config.engine == "pytorch" or (config.engine == "auto" and (config.compile or not on_cpu)):
        return _create_pytorch(checkpoint, config, warn)
    if config.engine == "auto":
        return _create_fastest_on_cpu(checkpoint, config, warn)
    return create_graph_engine(checkpoint, *_runtimes(config.engine, config), warn=warn)


def _runtimes(engine: str, config: EngineConfig) -> list[GraphRuntime]:
    """One runtime of an engine for each precision to try, the fastest first."""
    if engine == "openvino":
        return list(openvino_runtimes(config.device, config.precision))
    return [OnnxRuntime(config.device, config.precision)]


def _create_fastest_on_cpu(checkpoint: Checkpoint, config: EngineConfig, warn: Warn) -> Engine:
    """The first engine that is installed and agrees with PyTorch, else PyTorch."""
    reasons: list[str] = []
    created: Engine | None = None
    for engine in ("openvino", "onnxruntime"):  # the fastest on a CPU first
        try:
            created = create_graph_engine(checkpoint, *_runtimes(engine, config), warn=reasons.append)
            break
        except RuntimeMissing:
            continue
        except EngineError as error:
            reasons.append(str(error))
    if created is None:  # PyTorch raises by itself if the settings suit no engine
        created = _create_pytorch(checkpoint, config, warn)
    for reason in reasons:
        warn(reason)
    return created


def _create_pytorch(checkpoint: Checkpoint, config: EngineConfig, warn: Warn) -> Engine:
    """PyTorch in the precision asked for; auto on a CPU with bf16 is bf16 if it agrees with fp32."""
    on_cuda = find_device(config.device).type == "cuda"

    def create(precision: str) -> PytorchEngine:
        if on_cuda:
            engine: PytorchEngine = CudaEngine(checkpoint, config.device, precision, warn)
        else:
            engine = PytorchEngine(checkpoint, config.device, precision)
        if config.compile:
            engine.compile()
        return engine

    if config.precision == "auto" and not on_cuda and cpu_has_bf16():
        engine = create("bf16")
        try:
            check_parity(engine, checkpoint)
            return engine
        except EngineError as error:
            warn(f"{error}; precision auto takes fp32")
    engine = create(config.precision)
    if config.compile:  # compiled code is another implementation than PyTorch's own
        check_parity(engine, checkpoint)
    return engine
