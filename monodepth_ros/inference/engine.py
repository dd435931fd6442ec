# SPDX-License-Identifier: Apache-2.0
"""The interface of every inference engine."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.motion import axis_angle_to_rotation, make_transform
from monodepth_ros.networks.checkpoint_header import CheckpointHeader

PRECISIONS = ("auto", "fp32", "bf16", "fp16")


class EngineError(MonodepthError):
    """An engine, device or precision that is not there, or an image or call that an engine cannot take."""


class Engine(ABC):
    """Runs the networks of one checkpoint on one device.

    An image is loaded once and then used for disparity and, in up to two pairs, for motion. An engine serves
    one thread at a time.
    """

    name: str
    """Of the engine, for logs: 'pytorch', 'openvino', ..."""
    device: str
    """'cpu' or 'cuda:0'."""
    precision: str
    """'fp32', 'bf16' or 'fp16'."""

    header: CheckpointHeader
    """Of the checkpoint."""

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

    def disparities(self, images: Sequence[Any]) -> list[np.ndarray]:
        """`disparity` of each of several images; one pass where the device gains by it."""
        return [self.disparity(image) for image in images]

    @abstractmethod
    def motion(self, earlier: Any, later: Any) -> np.ndarray:
        """T_later_earlier (4, 4) float64 of two loaded images, translation in network units.

        All NaN where the network's output is not finite. EngineError without a pose network.
        """

    def expect_motion(self, earlier: Any, later: Any) -> None:
        """Say, before its disparity is asked for, that `motion` of this pair will most probably be.

        A device can then compute it while the disparity is already on its way. It costs nothing where that is of no use.
        """

    def warm_up(self) -> None:
        """Run everything, so that no live frame pays for allocations and kernel selection."""
        image = self.load_image(np.zeros((self.header.height, self.header.width, 3), np.uint8))
        for _ in range(2):
            self.disparity(image)
            if self.has_pose:
                self.motion(image, image)

    @abstractmethod
    def release(self) -> None:
        """Free the device's memory. Any later call raises EngineError; a second release does nothing."""


def check_image(rgb: np.ndarray, header: CheckpointHeader) -> None:
    """EngineError unless rgb is (H, W, 3) uint8 of the checkpoint's size."""
    expected = (header.height, header.width, 3)
    if rgb.dtype != np.uint8 or rgb.shape != expected:
        raise EngineError(f"image is {rgb.dtype} {rgb.shape}, the network takes uint8 {expected}: resize it first")


def released() -> EngineError:
    """What a call of an engine without networks raises."""
    return EngineError("this engine has been released: create another one")


def check_cpu_precision(name: str) -> None:
    """EngineError for a precision that is unknown, or that no CPU computes in."""
    if name not in PRECISIONS:
        raise EngineError(f"unknown precision {name!r}: expected one of {', '.join(PRECISIONS)}")
    if name == "fp16":
        raise EngineError("precision fp16 needs a CUDA device: choose auto, fp32 or bf16 on the CPU")


def motion_matrix(axis_angle_translation: np.ndarray, translation_factor: float = 1.0) -> np.ndarray:
    """T (4, 4) float64 of a pose network's six numbers; all NaN unless each is finite."""
    numbers = axis_angle_translation.astype(np.float64)
    if not np.isfinite(numbers).all():
        return np.full((4, 4), np.nan)
    return make_transform(axis_angle_to_rotation(numbers[:3]), numbers[3:] * translation_factor)
