# SPDX-License-Identifier: Apache-2.0
"""Random changes of whole batches on their device (recipe of Godard et al. 2019, section 4 and supplement).

Colour jitter changes the networks' inputs only, with one draw for all frames of a sample. Mirroring changes the images
of the loss as well, and the principal point.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from monodepth_ros.settings.schema import setting
from monodepth_ros.training.samples.batch import Batch

# Weights of red, green and blue in brightness (ITU-R BT.601).
LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class AugmentationConfig:
    """Random changes of samples. The factors of the colour settings are drawn from [1 - x, 1 + x]."""

    flip: float = setting(0.5, "Share of samples to mirror.", minimum=0.0, maximum=1.0)
    jitter: float = setting(0.5, "Share of samples with changed colours.", minimum=0.0, maximum=1.0)
    brightness: float = setting(0.2, "Largest relative change of brightness.", minimum=0.0, maximum=1.0)
    contrast: float = setting(0.2, "Largest relative change of contrast.", minimum=0.0, maximum=1.0)
    saturation: float = setting(0.2, "Largest relative change of saturation.", minimum=0.0, maximum=1.0)
    hue: float = setting(0.1, "Largest rotation of the hue.", unit="turns", minimum=0.0, maximum=0.5)


def augment(batch: Batch, config: AugmentationConfig, generator: torch.Generator) -> Batch:
    """Mirror some samples of a batch and jitter the colours of its network_images. generator: on the CPU."""
    flipped = torch.rand(batch.size, generator=generator) < config.flip
    batch = mirror(batch, flipped.to(batch.K.device))
    if config.jitter == 0:
        return batch
    draw = ColorJitter.draw(batch.size, config, generator)
    return replace(batch, network_images={source: draw(image) for source, image in batch.images.items()})


def mirror(batch: Batch, flipped: Tensor) -> Batch:
    """Mirror the samples chosen by `flipped` (B,) bool: cx becomes W - 1 - cx, motions are mirrored at x = 0.

    Points of the reference depth move with their pixels.
    """
    if not flipped.any():
        return batch
    choose = flipped.view(-1, 1, 1, 1)

    def turned(images: dict) -> dict:
        return {source: torch.where(choose, image.flip(-1), image) for source, image in images.items()}

    images = turned(batch.images)
    same = batch.network_images is batch.images
    width = next(iter(images.values())).shape[-1]
    K = batch.K.clone()
    K[:, 0, 2] = torch.where(flipped, width - 1 - K[:, 0, 2], K[:, 0, 2])
    M = torch.diag(K.new_tensor([-1.0, 1.0, 1.0, 1.0]))
    known = {source: torch.where(flipped.view(-1, 1, 1), M @ T @ M, T) for source, T in batch.known_motions.items()}
    valid = batch.valid
    if valid is not None:
        valid = torch.where(choose, valid.flip(-1), valid)
    reference = batch.reference
    if reference is not None:
        reference = reference.clone()
        reference[:, 0] = torch.where(flipped.view(-1, 1), width - 1 - reference[:, 0], reference[:, 0])
    return replace(
        batch,
        images=images,
        network_images=images if same else turned(batch.network_images),
        K=K,
        known_motions=known,
        valid=valid,
        reference=reference,
    )


@dataclass(frozen=True)
class ColorJitter:
    """Colour changes of a batch: factors (B,) of brightness, contrast and saturation, and rotations (B,) of the hue
    [turns].

    order: in which they are applied, one for the batch. Unchanged samples have the identity.
    """

    brightness: Tensor
    contrast: Tensor
    saturation: Tensor
    hue: Tensor
    order: tuple[int, ...]

    @staticmethod
    def draw(size: int, config: AugmentationConfig, generator: torch.Generator) -> "ColorJitter":
        """Draw the changes of `size` samples."""
        applied = torch.rand(size, generator=generator) < config.jitter

        def uniform(extent: float) -> Tensor:
            value = extent * (2 * torch.rand(size, generator=generator) - 1)
            return torch.where(applied, value, 0.0)

        factors = [1 + uniform(extent) for extent in (config.brightness, config.contrast, config.saturation)]
        turn = uniform(config.hue)
        return ColorJitter(*factors, turn, tuple(torch.randperm(4, generator=generator).tolist()))

    def __call__(self, images: Tensor) -> Tensor:
        """Change the colours of images (B, 3, H, W) in [0, 1]."""
        changes: tuple[Callable[[Tensor], Tensor], ...] = (
            lambda image: image * self._of(self.brightness, image),
            lambda image: _blend(image, _gray(image).mean(dim=(2, 3), keepdim=True), self._of(self.contrast, image)),
            lambda image: _blend(image, _gray(image), self._of(self.saturation, image)),
            lambda image: _turn_hue(image, self.hue),
        )
        for index in self.order:
            images = changes[index](images).clamp(0, 1)
        return images

    @staticmethod
    def _of(factor: Tensor, image: Tensor) -> Tensor:
        return factor.to(image).view(-1, 1, 1, 1)


def _gray(image: Tensor) -> Tensor:
    red, green, blue = image.unbind(1)
    return (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue)[:, None]


def _blend(image: Tensor, base: Tensor, factor: Tensor) -> Tensor:
    return base + factor * (image - base)


def _turn_hue(image: Tensor, turn: Tensor) -> Tensor:
    """Rotate colours about the grey axis: a rotation of chroma in YIQ, as one matrix per sample without branches."""
    to_yiq = torch.tensor(
        [LUMA, (0.595716, -0.274453, -0.321263), (0.211456, -0.522591, 0.311135)], dtype=torch.float64
    )
    angle = 2 * math.pi * turn.to(torch.float64)
    rotation = torch.zeros(len(turn), 3, 3, dtype=torch.float64)
    rotation[:, 0, 0] = 1
    rotation[:, 1, 1] = rotation[:, 2, 2] = angle.cos()
    rotation[:, 1, 2], rotation[:, 2, 1] = angle.sin(), -angle.sin()  # red towards yellow, as in HSV
    matrix = (torch.linalg.inv(to_yiq) @ rotation @ to_yiq).to(image)
    return torch.einsum("bij,bjhw->bihw", matrix, image)
