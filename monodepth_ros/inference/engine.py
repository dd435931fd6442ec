# SPDX-License-Identifier: Apache-2.0
"""The interface of every inference engine."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.motion import axis_angle_to_rotation, make_transform
from monodepth_ros.inference.config import PRECISIONS
from monodepth_ros.networks import depth_network
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.depth_network import NetworkError

Size = tuple[int, int]
"""Width and height of an image."""


class EngineError(MonodepthError):
    """An engine, device or precision that is not available, or an image or call that an engine cannot take.

    problem: what was found; advice: what to do when an engine is chosen. Whoever does something else with the networks,
    such as an export, gives other advice.
    """

    def __init__(self, problem: str, advice: str = ""):
        super().__init__(f"{problem}: {advice}" if advice else problem)
        self.problem = problem


@dataclass(eq=False)
class LoadedImage:
    """An image on an engine's device, and intermediate results of it that the engine keeps for later calls.

    Only the engine that loaded it can use it; the types of the fields are the engine's own.
    """

    pixels: Any
    """The image, with a batch dimension of one."""
    deepest_feature: Any = None
    """Last feature of the depth encoder (1, C, H / 32, W / 32), for pose networks that share it."""
    mean_inverse_depth: Any = None
    """Spatial mean of the inverse depth [1 / network unit], for pose networks that need it."""


class Engine(ABC):
    """Runs the networks of one checkpoint on one device.

    An image is loaded once and then used for disparity and, in up to two pairs, for motion. Images of the checkpoint's
    size can be loaded at once, those of other sizes after `prepare`. An engine serves one thread at a time.
    """

    name: str
    """Name of the engine: 'pytorch', 'openvino', ..."""
    device: str
    """'cpu' or 'cuda:0'."""
    precision: str
    """'fp32', 'bf16' or 'fp16'."""

    header: CheckpointHeader
    """Header of the checkpoint."""

    @property
    @abstractmethod
    def has_pose(self) -> bool:
        """Whether the checkpoint has a pose network, for `motion`."""

    def is_ready(self, size: Size) -> bool:
        """Whether images of this (width, height) can be loaded now; all, of an engine that need not `prepare`."""
        return True

    def prepare(self, size: Size) -> None:
        """Make the networks ready for images of another (width, height), multiples of 32; nothing if they are.

        It takes up to seconds, with compiled networks a minute. EngineError if the networks cannot take this size.
        """

    @abstractmethod
    def load_image(self, rgb: np.ndarray) -> LoadedImage:
        """Copy an image of a size that is ready, (H, W, 3) uint8, to the device; EngineError for any other array."""

    @abstractmethod
    def disparity(self, image: LoadedImage) -> np.ndarray:
        """Sigmoid disparity (H, W) float32 in [0, 1]; `networks.disparity` converts it to depth."""

    def disparities(self, images: Sequence[LoadedImage]) -> list[np.ndarray]:
        """`disparity` of each of several images of one size, in one pass if the device is faster that way."""
        return [self.disparity(image) for image in images]

    @abstractmethod
    def motion(self, earlier: LoadedImage, later: LoadedImage) -> np.ndarray:
        """T_later_earlier (4, 4) float64 of two images, translation in network units.

        All NaN if the network's output is not finite. EngineError without a pose network.
        """

    def expect_motion(self, earlier: LoadedImage, later: LoadedImage) -> None:
        """Announce, before `disparity` of the later image, that `motion` of this pair will probably follow.

        A device may then compute it while the disparity is copied to the host. Other devices ignore the call.
        """

    def warm_up(self, size: Size | None = None) -> None:
        """Run all networks, so that no live frame waits for allocations and kernel selection.

        size: (width, height) that is ready; by default the checkpoint's.
        """
        width, height = size or (self.header.width, self.header.height)
        image = self.load_image(np.zeros((height, width, 3), np.uint8))
        for _ in range(2):
            self.disparity(image)
            if self.has_pose:
                self.motion(image, image)

    @abstractmethod
    def release(self) -> None:
        """Free the device's memory. Any later call raises EngineError; a second release does nothing."""


def check_image(rgb: np.ndarray, ready: Iterable[Size]) -> None:
    """EngineError unless rgb is (H, W, 3) uint8 of one of these sizes (width, height)."""
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.shape[1::-1] not in ready:
        expected = " or ".join(str((height, width, 3)) for width, height in ready)
        raise EngineError(f"image is {rgb.dtype} {rgb.shape}, the network takes uint8 {expected}: resize it first")


def check_size(size: Size) -> None:
    """EngineError unless width and height suit the networks."""
    try:
        depth_network.check_size(*size)
    except NetworkError as error:
        raise EngineError(str(error)) from None


def released() -> EngineError:
    """Error of a call of a released engine."""
    return EngineError("this engine has been released: create another one")


def no_pose_network() -> EngineError:
    """Error of `motion` without a pose network."""
    return EngineError("the checkpoint has no pose network: use one that has, or depth alone")


def check_cpu_precision(name: str) -> None:
    """EngineError for a precision that is unknown, or that no CPU supports."""
    if name not in PRECISIONS:
        raise EngineError(f"unknown precision {name!r}: expected one of {', '.join(PRECISIONS)}")
    if name == "fp16":
        raise EngineError("precision fp16 needs a CUDA device: choose auto, fp32 or bf16 on the CPU")


def motion_matrix(axis_angle_translation: np.ndarray, translation_factor: float = 1.0) -> np.ndarray:
    """T (4, 4) float64 from a pose network's six numbers; all NaN unless each is finite."""
    numbers = axis_angle_translation.astype(np.float64)
    if not np.isfinite(numbers).all():
        return np.full((4, 4), np.nan)
    return make_transform(axis_angle_to_rotation(numbers[:3]), numbers[3:] * translation_factor)
