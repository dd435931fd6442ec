# SPDX-License-Identifier: Apache-2.0
"""Inference with eager PyTorch, used on the CPU; `pytorch_cuda` records it into CUDA graphs."""

import copy
import re
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from monodepth_ros.errors import one_line
from monodepth_ros.inference.config import PRECISIONS
from monodepth_ros.inference.engine import (
    Engine,
    EngineError,
    LoadedImage,
    Size,
    check_cpu_precision,
    check_image,
    check_size,
    motion_matrix,
    no_pose_network,
    released,
)
from monodepth_ros.networks.checkpoints.checkpoint import Checkpoint
from monodepth_ros.networks.disparity import scale_disparity

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class PytorchEngine(Engine):
    """Both networks in eager PyTorch, channels last, without gradients.

    device, precision: as in EngineConfig, except that precision auto is fp32 on the CPU. Images are loaded as float
    tensors (1, 3, H, W) in [0, 1]. In bf16, which has as few significant bits as an image, images are normalised in
    float32, and the last layer before the sigmoid computes in float32: far depth is a small disparity, the sigmoid of a
    large number.
    """

    name = "pytorch"

    def __init__(self, checkpoint: Checkpoint, device: str = "auto", precision: str = "auto"):
        self._device = find_device(device)
        self.device = str(self._device)
        self.precision = _find_precision(precision, self._device)
        self._dtype = DTYPES[self.precision]
        self._image_dtype = torch.float32 if self.precision == "bf16" else self._dtype
        self.header = checkpoint.header
        self._sizes = {(self.header.width, self.header.height)}
        self._depth = self._place(checkpoint.depth)
        if self.precision == "bf16":
            for head in self._depth.heads:
                _cast_inputs(_first_convolution(head.to(torch.float32)))
        self._pose = None if checkpoint.pose is None else self._place(checkpoint.pose)

    def compile(self) -> None:
        """Compile the networks with torch.compile, which takes a minute; call it before anything else.

        Each batch size is compiled at its first use, one image here. EngineError if that fails.
        """
        freezing = {"freezing": True}  # weights become constants, in the layout that suits the kernels
        self._infer_depth = torch.compile(self._infer_depth, dynamic=False, options=freezing)
        self._infer_motion = torch.compile(self._infer_motion, dynamic=False, options=freezing)
        try:
            self.warm_up()
        except Exception as error:  # the compiler's exceptions differ between versions
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise EngineError(
                f"torch.compile failed ({reason:.200}): install a C++ compiler if none is installed,"
                " or set compile to false"
            ) from None

    def is_ready(self, size: Size) -> bool:
        return size in self._sizes

    def prepare(self, size: Size) -> None:
        self._require_networks()
        check_size(size)
        if size in self._sizes:
            return
        self._sizes.add(size)
        try:
            self.warm_up(size)
        except Exception as error:  # of the compiler, or a device out of memory
            self._sizes.discard(size)
            raise EngineError(
                f"the networks cannot take {size[0]}x{size[1]} on {self.device} ({one_line(error, 200)})"
            ) from None

    @property
    def has_pose(self) -> bool:
        return self._pose is not None

    def load_image(self, rgb: np.ndarray) -> LoadedImage:
        self._require_networks()
        check_image(rgb, self._sizes)
        if not rgb.flags.c_contiguous or not rgb.flags.writeable:
            rgb = rgb.copy()
        # The conversion to floating point copies the pixels.
        return LoadedImage(self._network_input(torch.from_numpy(rgb)[None].to(self._device)))

    def disparity(self, image: LoadedImage) -> np.ndarray:
        return self.disparities([image])[0]

    @torch.inference_mode()
    def disparities(self, images: Sequence[LoadedImage]) -> list[np.ndarray]:
        self._require_networks()
        if not images:
            return []
        batch = images[0].pixels if len(images) == 1 else torch.cat([image.pixels for image in images])
        found, deepest_feature = self._infer_depth(batch)
        if self.has_pose and self._pose.uses_depth_features:
            for index, image in enumerate(images):
                image.deepest_feature = deepest_feature[index : index + 1]
        if self.has_pose and self._pose.times_mean_inverse_depth:
            header = self.header
            inverse_depth = scale_disparity(found, header.min_depth, header.max_depth)
            for image, mean in zip(images, inverse_depth.mean(dim=(1, 2)).tolist(), strict=True):
                image.mean_inverse_depth = mean
        return list(found.cpu().numpy())

    @torch.inference_mode()
    def motion(self, earlier: LoadedImage, later: LoadedImage) -> np.ndarray:
        self._require_networks()
        if not self.has_pose:
            raise no_pose_network()
        if self._pose.uses_depth_features:
            numbers = self._infer_motion(self._deepest_feature(earlier), self._deepest_feature(later))
        else:
            numbers = self._infer_motion(earlier.pixels, later.pixels)
        factor = 1.0
        if self._pose.times_mean_inverse_depth:
            # In training, either image of a pair may be the target; here the later one's depth is available.
            if later.mean_inverse_depth is None:
                self.disparity(later)
            factor = later.mean_inverse_depth
        return motion_matrix(numbers[0].cpu().numpy(), factor)

    def release(self) -> None:
        self._depth = self._pose = None
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _network_input(self, pixels: Tensor) -> Tensor:
        """(B, H, W, 3) uint8 -> (B, 3, H, W) in [0, 1], channels last like the pixels."""
        return pixels.permute(0, 3, 1, 2).to(torch.float32).div_(255).to(self._image_dtype)

    def _infer_depth(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Disparity (B, H, W) float32 and the deepest feature (B, C, h, w)."""
        features = self._depth.encode(images)
        return self._depth.decode(features, (0,))[0][:, 0].to(torch.float32), features[-1]

    def _infer_motion(self, earlier: Tensor, later: Tensor) -> Tensor:
        """Axis-angle and translation (B, 6) float32, from batches of images or of deepest features."""
        return torch.cat(self._pose(earlier, later), dim=1).to(torch.float32)

    def _deepest_feature(self, image: LoadedImage) -> Tensor:
        if image.deepest_feature is None:
            image.deepest_feature = self._depth.encode(image.pixels)[-1]
        return image.deepest_feature

    def _place(self, network: torch.nn.Module) -> torch.nn.Module:
        """A copy of a network on the device; the checkpoint's own networks stay unchanged."""
        try:
            network = copy.deepcopy(network).to(self._device, self._dtype, memory_format=torch.channels_last)
        except RuntimeError as error:
            raise EngineError(
                f"the networks do not fit on {self.device} ({one_line(error, 200)}): choose another device"
            ) from None
        if self._image_dtype != self._dtype:
            _cast_inputs(_first_convolution(network))
        return network.eval().requires_grad_(False)

    def _require_networks(self) -> None:
        if self._depth is None:
            raise released()


def _first_convolution(network: torch.nn.Module) -> torch.nn.Conv2d:
    """The convolution that takes a network's input."""
    return next(module for module in network.modules() if isinstance(module, torch.nn.Conv2d))


def _cast_inputs(convolution: torch.nn.Conv2d) -> None:
    """Let a convolution accept any floating-point type and compute in the type of its weights."""
    convolution.register_forward_pre_hook(lambda module, inputs: (inputs[0].to(module.weight.dtype),))


def find_device(name: str) -> torch.device:
    """The device called auto (CUDA if available), cpu, cuda or cuda:N; EngineError if there is no such device."""
    if not re.fullmatch(r"auto|cpu|cuda|cuda:\d{1,3}", name):
        raise EngineError(f"unknown device {name!r}: expected auto, cpu, cuda or cuda:N")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "cpu" or (name == "auto" and count == 0):
        return torch.device("cpu")
    index = int(name.partition(":")[2] or 0)
    if index >= count:
        found = f"PyTorch sees {count} CUDA devices" if count else "PyTorch sees no CUDA device"
        raise EngineError(f"device {name!r}: {found} here; choose another one, or cpu")
    return torch.device("cuda", index)


def _find_precision(name: str, device: torch.device) -> str:
    if device.type == "cpu" or name not in PRECISIONS:
        check_cpu_precision(name)
    if name == "auto":
        return "fp16" if device.type == "cuda" else "fp32"
    return name
