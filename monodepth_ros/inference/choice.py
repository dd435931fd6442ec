"""The choice of an engine."""

from collections.abc import Callable
from pathlib import Path

from monodepth_ros.inference.engine import Engine, EngineError
from monodepth_ros.inference.pytorch import PytorchEngine, find_device
from monodepth_ros.networks.checkpoint import Checkpoint, load_checkpoint

ENGINES = ("auto", "pytorch", "openvino", "onnxruntime")


def create_engine(
    checkpoint: Checkpoint | str | Path,
    device: str = "auto",
    precision: str = "auto",
    engine: str = "auto",
    warn: Callable[[str], None] = lambda line: None,
) -> Engine:
    """The engine for a checkpoint (or its path) on a device: auto (CUDA where there is one), cpu, cuda or cuda:N.

    precision: auto (fp32 on the CPU, fp16 of PyTorch on CUDA), fp32, bf16 or fp16. engine: pytorch, openvino (CPU),
    onnxruntime, or auto: on a CPU the first of openvino and onnxruntime that is installed and agrees with PyTorch on
    this checkpoint, else pytorch; `warn` gets the reason where one is installed and refused. EngineError for an
    engine, device or precision that is unknown or not there, CheckpointError for a bad path.
    """
    if engine not in ENGINES:
        raise EngineError(f"unknown engine {engine!r}: expected one of {', '.join(ENGINES)}")
    if not isinstance(checkpoint, Checkpoint):
        checkpoint = load_checkpoint(checkpoint)
    on_cpu = find_device(device).type == "cpu"
    if engine == "pytorch" or (engine == "auto" and not on_cpu):
        return PytorchEngine(checkpoint, device, precision)
    # A runtime brings its libraries along; only those that may be used are imported.
    from monodepth_ros.inference.graph_engine import create_graph_engine
    from monodepth_ros.inference.graph_runtime import RuntimeMissing
    from monodepth_ros.inference.onnxruntime import OnnxRuntime
    from monodepth_ros.inference.openvino import OpenvinoRuntime

    runtimes = {"openvino": OpenvinoRuntime, "onnxruntime": OnnxRuntime}  # the fastest on a CPU first
    if engine != "auto":
        return create_graph_engine(checkpoint, runtimes[engine](device, precision))
    chosen, refusals = None, []
    for runtime in runtimes.values():
        try:
            chosen = create_graph_engine(checkpoint, runtime(device, precision))
            break
        except RuntimeMissing:
            continue
        except EngineError as error:
            refusals.append(str(error))
    chosen = chosen or PytorchEngine(checkpoint, device, precision)  # raises by itself what is wrong for all
    for line in refusals:
        warn(line)
    return chosen
