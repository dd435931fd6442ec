"""The interface of every inference engine, and the choice of one."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np

from monodepth_ros.errors import MonodepthError
from monodepth_ros.networks.checkpoint import Checkpoint, load_checkpoint

PRECISIONS = ("auto", "fp32", "bf16", "fp16")


class EngineError(MonodepthError):
    """A device or precision that is unknown or not there, or an image or call that an engine cannot take."""


class Engine(ABC):
    """Runs the networks of one checkpoint on one device.

    An image is loaded once and then used for disparity and, in up to two pairs, for motion. An engine serves
    one thread at a time.
    """

    name: str
    """Of the engine, for logs: 'pytorch'."""
    device: str
    """'cpu' or 'cuda:0'."""
    precision: str
    """'fp32', 'bf16' or 'fp16'."""

    @property
    @abstractmethod
    def has_pose(self) -> bool:
        """Whether `motion` can be had."""

    @abstractmethod
    def load_image(self, rgb: np.ndarray) -> Any:
        """An image at the network's size, (H, W, 3) uint8, to the device; EngineError for any other array.

        What comes back is a handle for the other methods: it holds a copy of the image and whatever the
        engine wants to remember of it.
        """

    @abstractmethod
    def disparity(self, image: Any) -> np.ndarray:
        """Sigmoid disparity (H, W) float32 in [0, 1]; `networks.disparity` makes depth of it."""

    @abstractmethod
    def motion(self, earlier: Any, later: Any) -> np.ndarray:
        """T_later_earlier (4, 4) float64 of two loaded images, translation in network units.

        All NaN where the network's output is not finite. EngineError without a pose network.
        """

    @abstractmethod
    def warm_up(self) -> None:
        """Run everything once, so that no live frame pays for allocations and kernel selection."""

    @abstractmethod
    def release(self) -> None:
        """Free the device's memory. Any later call raises EngineError; a second release does nothing."""


def create_engine(
    checkpoint: Checkpoint | str | Path, device: str = "auto", precision: str = "auto"
) -> Engine:
    """The engine for a checkpoint (or its path) on a device: auto (CUDA where there is one), cpu, cuda or
    cuda:N.

    precision: auto (fp32 on the CPU, fp16 on CUDA), fp32, bf16 or fp16. EngineError for a device or precision
    that is unknown or not there, CheckpointError for a bad path.
    """
    # An engine brings its libraries along; only the chosen one is imported.
    from monodepth_ros.inference.pytorch import PytorchEngine

    if not isinstance(checkpoint, Checkpoint):
        checkpoint = load_checkpoint(checkpoint)
    return PytorchEngine(checkpoint, device, precision)
