# SPDX-License-Identifier: Apache-2.0
"""TorchScript: networks in a file that PyTorch runs from Python and C++, without this package."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from monodepth_ros.inference.engine import EngineError
from monodepth_ros.inference.graph import NetworkGraph
from monodepth_ros.inference.graph_runtime import GraphRuntime, Network, conversion_failed, loading_failed


class TorchscriptRuntime(GraphRuntime):
    """Traced networks on the CPU, only for export and its check: eager PyTorch is the faster engine."""

    name = "torchscript"
    device = "cpu"
    precision = "fp32"
    suffix = ".pt"

    def __init__(self):
        self.version = torch.__version__

    def convert(self, graph: NetworkGraph, batch: int = 0) -> Any:
        if batch:
            raise EngineError("TorchScript files take any batch: leave the fixed one out")
        try:
            # Tracing warns about every shape test in Python; height and width are fixed here. Newer releases also
            # warn about TorchScript itself.
            with warnings.catch_warnings(), torch.no_grad():
                warnings.simplefilter("ignore")
                return torch.jit.trace(graph.module, graph.example, check_trace=False)
        except Exception as error:  # the tracer's exceptions differ between versions
            raise conversion_failed(self.name, error) from None

    def save(self, converted: Any, path: Path, card: dict[str, str]) -> None:
        # PyTorch's own writing of files may end the process where the disk is full, so it writes into memory.
        content = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.jit.save(converted, content, _extra_files=card)
        path.write_bytes(content.getbuffer())

    def load(self, path: Path) -> Network:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                module = torch.jit.load(str(path), map_location="cpu")
            except (RuntimeError, ValueError) as error:
                raise loading_failed(self.name, path, error) from None

        @torch.inference_mode()
        def run(inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
            outputs = module(*map(torch.from_numpy, inputs))
            return [tensor.numpy() for tensor in (outputs if isinstance(outputs, tuple) else (outputs,))]

        return run
