# SPDX-License-Identifier: Apache-2.0
"""A batch of samples: the input of a training step."""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

TARGET = 0
STEREO = "stereo"
Source = int | str
"""A frame's offset from the target in steps (-1: earlier, 1: later), or STEREO: the other camera at the same time."""


@dataclass(frozen=True)
class Batch:
    """Stacked samples of one size. Geometry is that of the networks' input, with pixel centres at integers.

    images: (B, 3, H, W) float in [0, 1] of TARGET and of every source, for the loss; uint8 before `to`. network_images:
    the same after colour augmentation, for the networks. K: (B, 3, 3) [pixels]. known_motions: T_source_target (B, 4,
    4) [network units] of the sources whose motion no network predicts, always STEREO. distances: (B,) distance between
    the target and each source in time [network units, or metres if these are not determined], NaN if unknown.
    depth_factor: (B,) factor of the networks' depth for a focal length other than the training camera's; None: 1.
    valid: (B, 1, H, W) bool, pixels of the target that count; None: all. reference: (B, 3, N) reference depth at points
    of the target, column and row [pixels] and depth [network units], NaN where there is no point; None: none. names: of
    the samples, for messages.
    """

    images: dict[Source, Tensor]
    network_images: dict[Source, Tensor]
    K: Tensor
    known_motions: dict[Source, Tensor] = field(default_factory=dict)
    distances: dict[Source, Tensor] | None = None
    depth_factor: Tensor | None = None
    valid: Tensor | None = None
    reference: Tensor | None = None
    names: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Number of samples."""
        return len(self.K)

    @property
    def sources(self) -> list[Source]:
        """Every image but the target's, in time order, STEREO last."""
        return sorted((s for s in self.images if s != TARGET), key=lambda s: (isinstance(s, str), s))

    def to(self, device: torch.device | str) -> "Batch":
        """The batch on a device, with images as float in [0, 1]."""

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
