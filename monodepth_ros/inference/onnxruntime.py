# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime on CPUs, and on CUDA if the installed build supports it."""

import io
import os
import warnings
from pathlib import Path
from typing import Any

import torch

from monodepth_ros.inference.config import PRECISIONS
from monodepth_ros.inference.engine import EngineError, check_cpu_precision
from monodepth_ros.inference.graph import NetworkGraph
from monodepth_ros.inference.graph_runtime import (
    GraphRuntime,
    Network,
    RuntimeMissing,
    conversion_failed,
    loading_failed,
)
from monodepth_ros.inference.pytorch import find_device

OPSET = 17
CPU, CUDA, TENSORRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"
ERRORS_ONLY = 3  # ONNX Runtime's log level


class OnnxRuntime(GraphRuntime):
    """Networks run by ONNX Runtime; device and precision as in EngineConfig.

    It computes in fp32 on a CPU and on CUDA. fp16 needs TensorRT, which compiles new networks for minutes. On a CPU it
    uses as many threads as PyTorch (OMP_NUM_THREADS).
    """

    name = "onnxruntime"
    suffix = ".onnx"

    def __init__(self, device: str = "auto", precision: str = "auto"):
        self._onnxruntime = import_onnxruntime()
        available = self._onnxruntime.get_available_providers()
        found = find_device(device)
        if found.type == "cuda" and CUDA not in available:
            if device != "auto":
                raise EngineError(
                    f"this onnxruntime has no CUDA, device is {device!r}:"
                    " pip install onnxruntime-gpu, or set device to cpu"
                )
            found = torch.device("cpu")
        self.device, self._index = str(found), found.index
        self.precision = _find_precision(precision, found.type, TENSORRT in available)
        self.version = f"{self._onnxruntime.__version__}, torch {torch.__version__}"

    def convert(self, graph: NetworkGraph, batch: int = 0) -> Any:
        onnx = import_onnx()
        example = tuple(tensor.repeat(batch or 1, *[1] * (tensor.dim() - 1)) for tensor in graph.example)
        inputs, outputs = list(graph.inputs), list(graph.outputs)
        axes = None if batch else {name: {0: "batch"} for name in (*inputs, *outputs)}
        written = io.BytesIO()
        try:
            # Tracing warns about every shape test in Python; height and width are fixed here.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                # The tracing exporter: the other one needs two more packages.
                torch.onnx.export(
                    graph.module,
                    example,
                    written,
                    dynamo=False,
                    opset_version=OPSET,
                    input_names=inputs,
                    output_names=outputs,
                    dynamic_axes=axes,
                )
        except Exception as error:  # the exporter's exceptions differ between versions
            raise conversion_failed(self.name, error) from None
        return onnx.load_from_string(written.getvalue())

    def save(self, converted: Any, path: Path, card: dict[str, str]) -> None:
        onnx = import_onnx()
        onnx.helper.set_model_props(converted, card)
        path.write_bytes(converted.SerializeToString())

    def load(self, path: Path) -> Network:
        options = self._onnxruntime.SessionOptions()
        options.log_severity_level = ERRORS_ONLY
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1
        # Spinning threads would take CPU time from the decoder and the camera driver.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers = self.providers(path.parent)
        try:
            session = self._onnxruntime.InferenceSession(str(path), options, providers=providers)
        except Exception as error:  # its exceptions have no common base class
            raise loading_failed(self.name, path, error) from None
        wanted = providers[0][0]
        if wanted not in session.get_providers():  # ONNX Runtime only logs a provider whose libraries do not load
            raise EngineError(
                f"onnxruntime cannot start its {wanted} here (are its libraries installed?):"
                " use engine pytorch, or set device to cpu"
            )
        names = [value.name for value in session.get_inputs()]
        return lambda inputs: session.run(None, dict(zip(names, inputs, strict=True)))

    def providers(self, folder: Path) -> list[tuple[str, dict[str, str]]]:
        """Execution providers and their options, in order of preference.

        folder: cache of the networks that TensorRT has compiled.
        """
        if self._index is None:
            return [(CPU, {})]
        # TensorFloat-32 would exceed the tolerance of fp32.
        cuda = (CUDA, {"device_id": str(self._index), "use_tf32": "0"})
        if self.precision == "fp32":
            return [cuda]
        tensorrt = {
            "device_id": str(self._index),
            "trt_fp16_enable": "1",
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": str(folder),
        }
        return [(TENSORRT, tensorrt), cuda]


def _find_precision(name: str, device: str, has_tensorrt: bool) -> str:
    if device == "cpu" or name not in PRECISIONS:
        check_cpu_precision(name)
    if name == "bf16":
        raise EngineError("engine onnxruntime does not compute in bf16: choose precision auto or fp32")
    if name == "fp16" and not has_tensorrt:
        raise EngineError(
            "engine onnxruntime computes in fp16 with TensorRT, which it lacks here: choose precision auto or fp32"
        )
    return "fp32" if name == "auto" else name


def import_onnxruntime() -> Any:
    """The package onnxruntime; RuntimeMissing if it cannot be imported."""
    # Since 1.29 the published Linux builds send telemetry on every session, unless this is set before they are loaded
    # (docs/engines.md).
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime  # noqa: PLC0415 - optional, and the variable above must be set before
    except ImportError as error:
        raise RuntimeMissing("onnxruntime", error, "onnxruntime onnx") from None
    return onnxruntime


def import_onnx() -> Any:
    """The package onnx, which writes the files; RuntimeMissing if it cannot be imported."""
    try:
        import onnx  # noqa: PLC0415 - optional
    except ImportError as error:
        raise RuntimeMissing("onnx", error) from None
    return onnx
