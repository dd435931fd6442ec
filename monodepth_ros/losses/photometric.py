# SPDX-License-Identifier: Apache-2.0
"""Photometric error between an image and its reconstruction (Godard et al. 2019, equation 2)."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from monodepth_ros.losses.ssim import BUFFERS, SsimTarget

SSIM_WEIGHT = 0.85
# Numbers in one part of a batch. Large batches are compared in parts, several of which fit a CPU's cache.
CACHED = 1 << 19


class PhotometricTarget:
    """A constant target image (B, C, H, W) in [0, 1] to compare several reconstructions with.

    ssim_weight: weight of the structural dissimilarity (1 - SSIM) / 2; the absolute difference has the rest. Both are
    averaged over the channels. With 0 the error is the absolute difference alone.
    """

    def __init__(self, target: Tensor, ssim_weight: float = SSIM_WEIGHT) -> None:
        self.image = target.detach().contiguous()
        self.ssim_weight = ssim_weight
        self.ssim = SsimTarget(self.image) if ssim_weight > 0 else None

    def error(self, image: Tensor) -> Tensor:
        """Per-pixel error of a reconstruction (B, C, H, W): (B, 1, H, W) in [0, 1]."""
        # SSIM is within [-1, 1] except for rounding.
        return _error(image, self).clamp(0, 1)

    def parts(self) -> Iterator[slice]:
        """Samples to compare at once: as many as fit a CPU's cache; on other devices all of them."""
        count = len(self.image)
        together = count if self.image.is_cuda else max(1, CACHED // self.image[0].numel())
        return (slice(first, min(first + together, count)) for first in range(0, count, together))


def photometric_error(image: Tensor, target: Tensor, ssim_weight: float = SSIM_WEIGHT) -> Tensor:
    """Per-pixel error (B, 1, H, W) of two images (B, C, H, W) in [0, 1]; see PhotometricTarget."""
    return PhotometricTarget(target, ssim_weight).error(image)


class _Error(torch.autograd.Function):
    """The error, with its gradient with respect to the image."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, target: PhotometricTarget) -> Tensor:
        image = image.contiguous()
        batch, channels, height, width = image.shape
        error = image.new_empty(batch, 1, height, width)
        needs_slopes = ctx.needs_input_grad[0] and target.ssim is not None
        slopes = [torch.empty_like(image) for _ in range(3)] if needs_slopes else []
        buffers: list[Tensor] = []
        for part in target.parts():
            x, found = image[part], error[part]
            buffers = _fitting(buffers, x, BUFFERS)
            torch.sub(x, target.image[part], out=buffers[0]).abs_()
            torch.sum(buffers[0], 1, keepdim=True, out=found).mul_((1 - target.ssim_weight) / channels)
            if target.ssim is None:
                continue
            if needs_slopes:
                similarity = target.ssim.similarity_and_slopes(x, part, [slope[part] for slope in slopes], buffers)
            else:
                similarity = target.ssim.similarity(x, part, buffers)
            found.sub_(similarity.sum(1, keepdim=True), alpha=target.ssim_weight / (2 * channels)).add_(
                target.ssim_weight / 2
            )
        ctx.target = target
        ctx.save_for_backward(image, *slopes)
        return error

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        image, *slopes = ctx.saved_tensors
        target, channels = ctx.target, image.shape[1]
        result = torch.empty_like(image)
        buffers: list[Tensor] = []
        for part in target.parts():
            x, out, arriving = image[part], result[part], gradient[part]
            buffers = _fitting(buffers, x, 2)
            if target.ssim is None:
                out.zero_()
            else:
                weight = arriving * (-target.ssim_weight / (2 * channels))
                target.ssim.pull_back(x, part, [slope[part] for slope in slopes], weight, out, buffers)
            sign = torch.sub(x, target.image[part], out=buffers[0]).sgn_()
            out.addcmul_(sign, arriving * ((1 - target.ssim_weight) / channels))
        return result, None


_error: Callable[[Tensor, PhotometricTarget], Tensor] = _Error.apply


def _fitting(buffers: list[Tensor], like: Tensor, count: int) -> list[Tensor]:
    """The buffers, or new ones if their shape differs."""
    if buffers and buffers[0].shape == like.shape:
        return buffers
    return [torch.empty_like(like) for _ in range(count)]
