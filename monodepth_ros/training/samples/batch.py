# SPDX-License-Identifier: Apache-2.0
"""What one training step is given."""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

TARGET = 0
STEREO = "stereo"
Source = int | str
"""A frame's offset from the target in steps (-1: earlier, 1: later), or STEREO: the other camera at the same time."""


@dataclass(frozen=True)
class Batch:
    """Samples of one size, stacked. Geometry is that of the network's input, pixel centres at integers.

    images: (B, 3, H, W) float in [0, 1], of TARGET and of every source: what the loss compares (uint8 until `to` has moved
    them). network_images: the same after colour augmentation: what the networks see. K: (B, 3, 3). known_motions:
    T_source_target (B, 4, 4) in network units, of the sources whose motion no network has to tell; STEREO is always one of
    them. distances: (B,) how far the camera moved between the target and each source in time, in network units (metres
    where nothing else fixes these), NaN where that is unknown. depth_factor: (B,) by which the networks' depth is to be
    multiplied because the sample's focal length is not the training camera's, or None: 1. valid: (B, 1, H, W) bool, where
    the target's pixels count, or None: everywhere. names: of the samples, for messages.
    """

    images: dict[Source, Tensor]
    network_images: dict[Source, Tensor]
    K: Tensor
    known_motions: dict[Source, Tensor] = field(default_factory=dict)
    distances: dict[Source, Tensor] | None = None
    depth_factor: Tensor | None = None
    valid: Tensor | None = None
    names: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Samples."""
        return len(self.K)

    @property
    def sources(self) -> list[Source]:
        """Every image but the target's, in time order, STEREO last."""
        return sorted((s for s in self.images if s != TARGET), key=lambda s: (isinstance(s, str), s))

    def to(self, device: torch.device | str) -> "Batch":
        """The same on a device, 8-bit images as float in [0, 1]."""

        def moved(tensor: Tensor) -> Tensor:
            tensor = tensor.to(device, non_blocking=True)
            return tensor.float().div_(255) if tensor.dtype == torch.uint8 else tensor

        changes = {name: moved(value) for name, value in vars(self).items() if isinstance(value, Tensor)}
        images = {source: moved(image) for source, image in self.images.items()}
        network_images = images
        if self.network_images is not self.images:
            network_images = {source: moved(image) for source, image in self.network_images.items()}
        known = {source: moved(T) for source, T in self.known_motions.items()}
        distances = self.distances and {source: moved(value) for source, value in self.distances.items()}
        changes |= {"images": images, "network_images": network_images, "known_motions": known, "distances": distances}
        return replace(self, **changes)
