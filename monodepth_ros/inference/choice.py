"""The choice of an engine."""

from collections.abc import Callable
from pathlib import Path

from monodepth_ros.inference.engine import Engine, EngineError
from monodepth_ros.inference.pytorch import PytorchEngine, find_device
from monodepth_ros.networks.checkpoint import Checkpoint, load_checkpoint

ENGINES = ("auto", "pytorch", "openvino")


def create_engine(
    checkpoint: Checkpoint | str | Path,
    device: str = "auto",
    precision: str = "auto",
    engine: str = "auto",
    warn: Callable[[str], None] = lambda line: None,
) -> Engine:
    """The engine for a checkpoint (or its path) on a device: auto (CUDA where there is one), cpu, cuda or cuda:N.

    precision: auto (fp32 on the CPU, fp16 on CUDA), fp32, bf16 or fp16. engine: pytorch, openvino (CPU), or auto:
    on a CPU openvino where it is installed and agrees with PyTorch on this checkpoint, else pytorch; `warn` gets
    the reason where it is installed and refused. EngineError for an engine, device or precision that is unknown
    or not there, CheckpointError for a bad path.
    """
    if engine not in ENGINES:
        raise EngineError(f"unknown engine {engine!r}: expected one of {', '.join(ENGINES)}")
    if not isinstance(checkpoint, Checkpoint):
        checkpoint = load_checkpoint(checkpoint)
    on_cpu = find_device(device).type == "cpu"
    if engine == "pytorch" or (engine == "auto" and not on_cpu):
        return PytorchEngine(checkpoint, device, precision)
    # An engine brings its libraries along; only those that may be used are imported.
    from monodepth_ros.inference.openvino import OpenvinoEngine, import_openvino

    if engine == "openvino":
        return OpenvinoEngine(checkpoint, device, precision)
    try:
        import_openvino()
    except EngineError:
        return PytorchEngine(checkpoint, device, precision)
    try:
        return OpenvinoEngine(checkpoint, device, precision)
    except EngineError as error:
        fallback = PytorchEngine(checkpoint, device, precision)  # raises by itself what is wrong for both
        warn(str(error))
        return fallback
