# SPDX-License-Identifier: Apache-2.0
"""What a runtime other than eager PyTorch has to do to run a checkpoint's networks."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from monodepth_ros.errors import one_line
from monodepth_ros.inference.engine import EngineError
from monodepth_ros.inference.graph import NetworkGraph

Network = Callable[[Sequence[np.ndarray]], Sequence[np.ndarray]]
"""A graph's inputs in their order -> its outputs in theirs."""


class RuntimeMissing(EngineError):
    """A runtime that is not installed."""


class GraphRuntime(ABC):
    """Converts graphs, keeps them in files and runs them.

    EngineError from every method for what this runtime cannot do.
    """

    name: str
    """Of the engine."""
    device: str
    precision: str
    version: str
    """Of all that has a part in a conversion; files of another version are not used."""
    suffix: str
    """Of the file that `load` reads."""

    @abstractmethod
    def convert(self, graph: NetworkGraph, batch: int = 0) -> Any:
        """The graph in this runtime's form, in float32; batch 0 leaves its size open."""

    @abstractmethod
    def save(self, converted: Any, path: Path, card: dict[str, str]) -> None:
        """Write what `convert` gave, with the card attached; OSError or RuntimeError where that fails."""

    @abstractmethod
    def load(self, path: Path) -> Network:
        """Read what `save` wrote and make it ready."""


def conversion_failed(name: str, error: Exception) -> EngineError:
    """What `convert` raises for whatever its converter has raised."""
    return EngineError(f"{name} cannot convert these networks ({_reason(error)}): use engine pytorch")


def loading_failed(name: str, path: Path, error: Exception) -> EngineError:
    """What `load` raises for whatever reading or compiling has raised."""
    return EngineError(f"{name} cannot load {path.name} ({_reason(error)}): use engine pytorch")


def _reason(error: Exception) -> str:
    return one_line(error, 200)
