# SPDX-License-Identifier: Apache-2.0
"""OpenVINO on CPUs: fused convolutions in the CPU's own memory layout."""

import errno
import os
import shutil
import sys
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import torch

from monodepth_ros.inference.cpu_arithmetic import cpu_has_bf16
from monodepth_ros.inference.engine import EngineError, check_cpu_precision
from monodepth_ros.inference.graph import NetworkGraph
from monodepth_ros.inference.graph_runtime import (
    GraphRuntime,
    Network,
    RuntimeMissing,
    conversion_failed,
    loading_failed,
)

HINTS = {"fp32": "f32", "bf16": "bf16"}


class OpenvinoRuntime(GraphRuntime):
    """Networks compiled by OpenVINO for this CPU.

    device, precision: as in EngineConfig, except that precision auto is fp32. It uses as many threads as PyTorch
    (OMP_NUM_THREADS).
    """

    name = "openvino"
    device = "cpu"
    suffix = ".xml"

    def __init__(self, device: str = "auto", precision: str = "auto"):
        self._openvino = import_openvino()
        if device not in ("auto", "cpu"):
            raise EngineError(f"engine openvino runs on the CPU, device is {device!r}: set device to cpu")
        self._core = shared_core()
        self.precision = self._find_precision(precision)
        self.version = f"{self._openvino.__version__}, torch {torch.__version__}"

    @property
    def has_bf16(self) -> bool:
        """Whether OpenVINO supports bf16 arithmetic on this CPU."""
        return "BF16" in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")

    def convert(self, graph: NetworkGraph, batch: int = 0) -> Any:
        shapes = [self._openvino.PartialShape([batch or -1, *tensor.shape[1:]]) for tensor in graph.example]
        try:
            # Tracing warns about every shape test in Python; height and width are fixed here.
            with warnings.catch_warnings(), torch.inference_mode():
                warnings.simplefilter("ignore")
                model = self._openvino.convert_model(graph.module, example_input=graph.example, input=shapes)
        except Exception as error:  # the converter's exceptions differ between versions
            raise conversion_failed(self.name, error) from None
        for ports, names in ((model.inputs, graph.inputs), (model.outputs, graph.outputs)):
            for port, name in zip(ports, names, strict=True):
                port.get_tensor().set_names({name})
        return model

    def save(self, converted: Any, path: Path, card: dict[str, str]) -> None:
        """As `GraphRuntime.save`; the weights go to a .bin file beside path."""
        for name, text in card.items():
            converted.set_rt_info(text, name)
        try:
            self._openvino.save_model(converted, path, compress_to_fp16=False)
        except RuntimeError as error:  # it removes what it has begun, and names no reason
            weights = sum(node.get_byte_size() for node in converted.get_ops() if hasattr(node, "get_byte_size"))
            if shutil.disk_usage(path.parent).free < weights:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from None
            raise RuntimeError(f"OpenVINO: {error}") from None

    def load(self, path: Path) -> Network:
        settings = {
            "INFERENCE_PRECISION_HINT": HINTS[self.precision],
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            # Pinned threads would wait for the decoder and the camera driver on their core.
            "ENABLE_CPU_PINNING": False,
        }
        try:
            compiled = self._core.compile_model(self._core.read_model(path), "CPU", settings)
        except RuntimeError as error:
            raise loading_failed(self.name, path, error) from None
        request = compiled.create_infer_request()
        return lambda inputs: request.infer(list(inputs), share_inputs=True).to_tuple()

    def _find_precision(self, name: str) -> str:
        check_cpu_precision(name)
        if name == "auto":
            return "fp32"
        if name == "bf16" and not self.has_bf16:
            raise EngineError("this CPU has no bf16 arithmetic: choose precision auto or fp32")
        return name


def openvino_runtimes(device: str, precision: str) -> list[OpenvinoRuntime]:
    """The runtime in one precision, or for auto in each that the CPU supports, the fastest first."""
    runtime = OpenvinoRuntime(device, precision)
    if precision == "auto" and cpu_has_bf16() and runtime.has_bf16:
        return [OpenvinoRuntime(device, "bf16"), runtime]
    return [runtime]


@cache
def shared_core() -> Any:
    """The `openvino.Core` of this process; RuntimeMissing if there is no openvino.

    One serves all engines and lives as long as the process. The first model that a Core compiles replaces the calling
    thread's alternate signal stack, on which Python's signal handlers run, by memory that goes with the Core (OpenVINO
    2026.4.1, SigAltStackSetup of its CPU plugin). A process that had released several Cores died of SIGSEGV at a later
    control-C.
    """
    return import_openvino().Core()


def import_openvino() -> Any:
    """The package openvino; RuntimeMissing if it cannot be imported."""
    # This keeps OpenVINO from loading its telemetry package, which would report the import.
    sys.modules.setdefault("openvino_telemetry", None)
    try:
        import openvino  # noqa: PLC0415 - optional, and its telemetry must be off before
    except ImportError as error:
        raise RuntimeMissing("openvino", error) from None
    return openvino
