# SPDX-License-Identifier: Apache-2.0
"""Photometric error between an image and its reconstruction (Godard et al. 2019, equation 2)."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from monodepth_ros.losses.ssim import BUFFERS, SsimTarget

SSIM_WEIGHT = 0.85
# Numbers in an image part that a CPU's cache holds several of: large batches are compared in parts of this size.
CACHED = 1 << 19


class PhotometricTarget:
    """A target image (B, C, H, W) in [0, 1], a constant, that several reconstructions are compared with.

    ssim_weight: the share of the structural dissimilarity (1 - SSIM) / 2; the rest is the absolute difference, both averaged
    over the channels. 0 leaves the absolute difference alone.
    """

    def __init__(self, target: Tensor, ssim_weight: float = SSIM_WEIGHT):
        self.image = target.detach().contiguous()
        self.ssim_weight = ssim_weight
        self.ssim = SsimTarget(self.image) if ssim_weight > 0 else None

    def error(self, image: Tensor) -> Tensor:
        """Per-pixel error of a reconstruction (B, C, H, W): (B, 1, H, W) in [0, 1]."""
        # SSIM lies within [-1, 1] but for rounding.
        return _Error.apply(image, self).clamp(0, 1)

    def parts(self) -> Iterator[slice]:
        """Samples that are compared at once: those that fit a CPU's cache; all of them elsewhere."""
        count = len(self.image)
        together = count if self.image.is_cuda else max(1, CACHED // self.image[0].numel())
        return (slice(first, min(first + together, count)) for first in range(0, count, together))


def photometric_error(image: Tensor, target: Tensor, ssim_weight: float = SSIM_WEIGHT) -> Tensor:
    """Per-pixel error of two images (B, C, H, W) in [0, 1] -> (B, 1, H, W); see PhotometricTarget."""
    return PhotometricTarget(target, ssim_weight).error(image)


class _Error(torch.autograd.Function):
    """The error with a gradient by the image."""

    @staticmethod
    def forward(ctx, image: Tensor, target: PhotometricTarget) -> Tensor:
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
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
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


def _fitting(buffers: list[Tensor], like: Tensor, count: int) -> list[Tensor]:
    """The buffers, or new ones if they are of another shape."""
    if buffers and buffers[0].shape == like.shape:
        return buffers
    return [torch.empty_like(like) for _ in range(count)]
