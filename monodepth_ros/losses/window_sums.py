# SPDX-License-Identifier: Apache-2.0
"""Sums over the 3x3 window around each pixel, and their transpose, for SSIM's statistics and its gradient.

The border is mirrored: the neighbour beyond the first pixel is the second pixel. The sums are computed in place from
shifted images, because general pooling takes more than ten times as long on a CPU, and so does its gradient.
"""

import torch
from torch import Tensor


def window_sums(image: Tensor, out: Tensor, scratch: Tensor) -> Tensor:
    """Write the sum over each pixel's window to `out`, (B, C, H, W) with H and W of at least 2, and return it.

    All tensors are contiguous and have the same shape. scratch is overwritten; out may be the image itself.
    """
    return _summed(_summed(image, 3, scratch), 2, out)


def spread_over_windows(values: Tensor, out: Tensor, scratch: Tensor) -> Tensor:
    """The transpose of `window_sums`, with the same arguments: add each value to all pixels of its window."""
    return _spread(_spread(values, 3, scratch), 2, out)


def _summed(image: Tensor, dim: int, out: Tensor) -> Tensor:
    size = image.shape[dim]
    _add_neighbours(image, dim, out)
    for border, mirrored in ((0, 1), (size - 1, size - 2)):
        torch.mul(image.narrow(dim, mirrored, 1), 2, out=out.narrow(dim, border, 1))
    return out.add_(image)


def _spread(values: Tensor, dim: int, out: Tensor) -> Tensor:
    size = values.shape[dim]
    _add_neighbours(values, dim, out)
    for border, mirrored in ((0, 1), (size - 1, size - 2)):
        out.narrow(dim, border, 1).copy_(values.narrow(dim, mirrored, 1))
    out.add_(values)
    for border, mirrored in ((0, 1), (size - 1, size - 2)):
        out.narrow(dim, mirrored, 1).add_(values.narrow(dim, border, 1))
    return out


def _add_neighbours(values: Tensor, dim: int, out: Tensor) -> None:
    """Write the sum of both neighbours along `dim` to `out`, except at the border."""
    inside = values.shape[dim] - 2
    torch.add(values.narrow(dim, 0, inside), values.narrow(dim, 2, inside), out=out.narrow(dim, 1, inside))
