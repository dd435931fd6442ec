# SPDX-License-Identifier: Apache-2.0
"""Where a source camera sees the points of the target's pixels, as coordinates for grid_sample.

The source sees the point of pixel p = (u, v, 1) and depth d at K R K^-1 p d + K t: backprojection, motion and
projection are one 3x3 matrix on a constant grid of pixels (Zhou et al. 2017, equation 2). The gradient is written out
by hand, which needs fewer passes over memory.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

EPSILON = 1e-7  # added to z before the division


def sampling_grid(depth: Tensor, K: Tensor, T_source_target: Tensor, size: tuple[int, int]) -> Tensor:
    """Grid (B, H, W, 2) of the places in the source image that show the points of the target's pixels.

    depth: (B, 1, H, W) of the target. K: (B or 1, 3, 3) of both cameras. T_source_target: (B, 4, 4). size: the source
    image's (height, width). Places are normalised to [-1, 1] from the first to the last pixel's CENTRE, for grid_sample
    with align_corners=True. Equals `warp.project` of `warp.backproject`.
    """
    height, width = size
    with torch.autocast(depth.device.type, enabled=False):
        K, T = K.to(depth), T_source_target.to(depth)
        # The map from pixels to [-1, 1] is part of the matrix: one pass less over the grid.
        normalised = K.clone()
        for row, last in ((0, max(width - 1, 1)), (1, max(height - 1, 1))):
            normalised[:, row] = 2.0 / last * K[:, row] - K[:, 2]
        inverse, _ = torch.linalg.inv_ex(K)
        return _grid(depth, normalised @ T[:, :3, :3] @ inverse, normalised @ T[:, :3, 3:])


class _Grid(torch.autograd.Function):
    """M p d + t, divided by its third component, for depth d (B, 1, H, W), M (B, 3, 3) and t (B, 3, 1)."""

    @staticmethod
    def forward(ctx: Any, depth: Tensor, M: Tensor, t: Tensor) -> Tensor:
        rays = _rays(M, depth)
        seen = torch.addcmul(t.unsqueeze(-1), rays, depth, out=rays)
        inverse_z = (seen[:, 2:] + EPSILON).reciprocal_()
        grid = seen[:, :2] * inverse_z
        ctx.save_for_backward(depth, M, grid, inverse_z)
        return grid.permute(0, 2, 3, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        depth, M, grid, inverse_z = ctx.saved_tensors
        by_seen = depth.new_empty(len(depth), 3, *depth.shape[-2:])
        by_xy, by_z = by_seen[:, :2], by_seen[:, 2:]
        torch.mul(gradient.permute(0, 3, 1, 2), inverse_z, out=by_xy)
        torch.sum(by_xy * grid, 1, keepdim=True, out=by_z).neg_()
        by_t = by_seen.sum((2, 3)).unsqueeze(-1)
        by_depth = _rays(M, depth).mul_(by_seen).sum(1, keepdim=True)
        by_ray = by_seen.mul_(depth)
        u, v = _pixels(depth)
        in_columns, in_rows = by_ray.sum(2), by_ray.sum(3)
        by_M = torch.stack(((in_columns * u).sum(2), (in_rows * v).sum(2), in_rows.sum(2)), dim=2)
        return by_depth, by_M, by_t


_grid: Callable[[Tensor, Tensor, Tensor], Tensor] = _Grid.apply


def _rays(M: Tensor, depth: Tensor) -> Tensor:
    """M (u, v, 1) at every pixel of the depth: (B, 3, H, W)."""
    u, v = _pixels(depth)
    first, second, third = (column.unsqueeze(-1) for column in M.unbind(2))
    return (first * u).unsqueeze(2) + (second * v + third).unsqueeze(3)


def _pixels(depth: Tensor) -> tuple[Tensor, Tensor]:
    height, width = depth.shape[-2:]
    u, v = (torch.arange(side, device=depth.device, dtype=depth.dtype) for side in (width, height))
    return u, v
