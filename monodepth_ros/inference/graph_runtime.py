# SPDX-License-Identifier: Apache-2.0
"""Interface of the runtimes other than eager PyTorch."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from monodepth_ros.errors import one_line
from monodepth_ros.inference.engine import EngineError
from monodepth_ros.inference.graph import NetworkGraph

Network = Callable[[Sequence[np.ndarray]], Sequence[np.ndarray]]
"""A graph's inputs in order -> its outputs in order."""


INSTEAD = "use engine pytorch"


class RuntimeMissing(EngineError):
    """A package that is not installed. packages: what to give to pip."""

    def __init__(self, package: str, error: ImportError, packages: str = ""):
        self.install = f"pip install {packages or package}"
        super().__init__(f"no {package} here ({error})", f"{self.install}, or {INSTEAD}")


class GraphRuntime(ABC):
    """Converts graphs, saves them to files and runs them.

    Every method raises EngineError for a graph, device or precision that the runtime does not support.
    """

    name: str
    """Name of the engine."""
    device: str
    precision: str
    version: str
    """Versions of everything that takes part in a conversion; files of another version are not used."""
    suffix: str
    """Suffix of the file that `load` reads."""

    @abstractmethod
    def convert(self, graph: NetworkGraph, batch: int = 0) -> Any:
        """The graph in this runtime's form, in float32; batch 0 leaves the batch size open."""

    @abstractmethod
    def save(self, converted: Any, path: Path, card: dict[str, str]) -> None:
        """Write a converted graph with its metadata (card); OSError or RuntimeError if that fails."""

    @abstractmethod
    def load(self, path: Path) -> Network:
        """Load a saved graph, ready to run."""


def conversion_failed(name: str, error: Exception) -> EngineError:
    """Error of `convert` for an exception of the converter."""
    return EngineError(f"{name} cannot convert these networks ({one_line(error, 200)})", INSTEAD)


def loading_failed(name: str, path: Path, error: Exception) -> EngineError:
    """Error of `load` for an exception of reading or compiling."""
    return EngineError(f"{name} cannot load {path.name} ({one_line(error, 200)})", INSTEAD)
