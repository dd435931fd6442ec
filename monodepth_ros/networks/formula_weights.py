# SPDX-License-Identifier: Apache-2.0
"""Deterministic weights and images for reproducible tests and benchmarks without a download.

Every value follows from the tensor's name and the value's index alone. Two implementations of a network can therefore
be compared to the last digit without trained weights.
"""

import zlib

import numpy as np
import torch
from torch import nn

from monodepth_ros.networks.checkpoints.monodepth2_format import published_parts
from monodepth_ros.networks.depth_network import DepthNetwork
from monodepth_ros.networks.pose_network import PoseNetwork


def formula_tensor(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """Values of the tensor named `key` in a state dict; float64 of the given shape."""
    multiplier = np.uint64(73244475)
    low_bits = np.uint64(0xFFFFFFFF)
    half = np.uint64(16)
    x = np.arange(1, int(np.prod(shape)) + 1, dtype=np.uint64)
    x = (x * multiplier + np.uint64(zlib.crc32(key.encode()))) & low_bits
    x ^= x >> half
    x = (x * multiplier) & low_bits
    x ^= x >> half
    unit = (x / 2.0**32).reshape(shape)
    if key.endswith("running_var"):
        return 1.0 + unit / 2.0
    centred = 2.0 * unit - 1.0
    if len(shape) == 1:
        return 1.0 + centred / 10.0 if key.endswith("weight") else centred / 10.0
    return centred * np.sqrt(6.0 / np.prod(shape[1:]))


def fill_with_formula(module: nn.Module) -> None:
    """Fill a module in place. Its state dict must be that of one published file, because its keys seed the formula."""
    with torch.no_grad():
        for key, tensor in module.state_dict().items():
            if tensor.ndim > 0:
                tensor.copy_(torch.from_numpy(formula_tensor(key, tuple(tensor.shape))))


def fill_networks_with_formula(depth: DepthNetwork, pose: PoseNetwork | None = None) -> None:
    """Fill a depth network and its pose network in place, file by file."""
    for module in published_parts(depth, pose).values():
        fill_with_formula(module)


def formula_image(phase: float, height: int = 192, width: int = 640) -> np.ndarray:
    """Smooth test image (3, height, width) in [0, 1], float64; images with two phases make a pair."""
    channel, y, x = np.meshgrid(np.arange(3), np.arange(height), np.arange(width), indexing="ij")
    return 0.5 + 0.5 * np.sin(0.031 * x * (channel + 1) + 0.047 * y + phase + channel)
