# SPDX-License-Identifier: Apache-2.0
"""View synthesis in torch: predict the target image from a source image, the target's depth and the motion.

Zhou et al. 2017, section 3; Godard et al. 2019, section 3.1. All functions are differentiable. Pixel centres are
integers 0 to W - 1; K may follow the convention of `geometry.camera` or another one. Geometry is computed in float32
(or float64) under autocast, because half precision would move points by whole pixels.
"""

import torch
from torch import Tensor
from torch.nn import functional

from monodepth_ros.geometry.sampling_grid import EPSILON, sampling_grid


def transform_from_axis_angle(axis_angle: Tensor, translation: Tensor, invert: bool = False) -> Tensor:
    """Transform (B, 4, 4) of a rotation (B, 3) [rad] and a translation (B, 3), or its exact inverse.

    The transform rotates first. Rodrigues' formula about the axis v / (|v| + 1e-7); the gradient at a zero rotation is
    finite.
    """
    _expect(axis_angle, "axis_angle", (None, 3))
    _expect(translation, "translation", (None, 3))
    angle = torch.linalg.vector_norm(axis_angle, dim=1, keepdim=True)
    x, y, z = (axis_angle / (angle + EPSILON)).unbind(1)
    sine, cosine = torch.sin(angle[:, 0]), torch.cos(angle[:, 0])
    versine = 1.0 - cosine
    rows = [
        [x * x * versine + cosine, x * y * versine - z * sine, x * z * versine + y * sine],
        [y * x * versine + z * sine, y * y * versine + cosine, y * z * versine - x * sine],
        [z * x * versine - y * sine, z * y * versine + x * sine, z * z * versine + cosine],
    ]
    R = torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)
    t = translation.unsqueeze(-1)
    if invert:
        R = R.transpose(1, 2)
        t = -(R * translation.unsqueeze(1)).sum(-1, keepdim=True)
    bottom = R.new_tensor([0.0, 0.0, 0.0, 1.0]).expand(R.shape[0], 1, 4)
    return torch.cat([torch.cat([R, t], dim=2), bottom], dim=1)


def backproject(depth: Tensor, K: Tensor) -> Tensor:
    """Points (B, 3, H, W) in the camera's frame from depth along z (B, 1, H, W) and intrinsics (B or 1, 3, 3)."""
    _expect(depth, "depth", (None, 1, None, None))
    _expect(K, "K", (None, 3, 3))
    depth = _full_precision(depth)
    K = K.to(depth)
    height, width = depth.shape[-2:]
    u = torch.arange(width, device=depth.device, dtype=depth.dtype).view(1, 1, 1, width)
    v = torch.arange(height, device=depth.device, dtype=depth.dtype).view(1, 1, height, 1)
    fx, fy, cx, cy = (K[:, i, j].view(-1, 1, 1, 1) for i, j in ((0, 0), (1, 1), (0, 2), (1, 2)))
    return torch.cat([(u - cx) / fx * depth, (v - cy) / fy * depth, depth], dim=1)


def transform_points(points: Tensor, T_source_target: Tensor) -> Tensor:
    """Points (B, 3, H, W) of the target's frame in the source's frame. T_source_target: (B, 4, 4)."""
    _expect(points, "points", (None, 3, None, None))
    _expect(T_source_target, "T_source_target", (None, 4, 4))
    points = _full_precision(points)
    with torch.autocast(points.device.type, enabled=False):
        T = T_source_target.to(points)
        return (T[:, :3, :3] @ points.flatten(2) + T[:, :3, 3:]).view_as(points)


def project(
    points: Tensor, K: Tensor, T_source_target: Tensor, size: tuple[int, int] | None = None
) -> tuple[Tensor, Tensor]:
    """Pixels (B, H, W, 2) where the source camera sees points (B, 3, H, W) in the target's frame, and a grid of them.

    K: (B or 1, 3, 3) of the source. T_source_target: (B, 4, 4). size: the source image's (height, width), by default
    (H, W). The grid holds the pixels normalised to [-1, 1] from the first to the last pixel's CENTRE, for grid_sample
    with align_corners=True. Divides by z + 1e-7; points behind the source camera are not marked.
    """
    _expect(points, "points", (None, 3, None, None))
    _expect(K, "K", (None, 3, 3))
    _expect(T_source_target, "T_source_target", (None, 4, 4))
    points = _full_precision(points)
    batch, _, rows, columns = points.shape
    height, width = size or (rows, columns)
    with torch.autocast(points.device.type, enabled=False):
        camera = K.to(points) @ T_source_target.to(points)[:, :3]
        seen = camera[:, :, :3] @ points.flatten(2) + camera[:, :, 3:]
    pixels = seen[:, :2] / (seen[:, 2:] + EPSILON)
    pixels = pixels.view(batch, 2, rows, columns).permute(0, 2, 3, 1)
    last = pixels.new_tensor([max(width - 1, 1), max(height - 1, 1)])
    return pixels, pixels / last * 2.0 - 1.0


def warp(source: Tensor, depth: Tensor, K: Tensor, T_source_target: Tensor) -> Tensor:
    """The target image (B, C, H, W) predicted from the source image (B, C, h, w).

    depth: (B, 1, H, W) of the target. K: (B or 1, 3, 3) of both cameras. T_source_target: (B, 4, 4). Bilinear; places
    outside the source image take its border colour.
    """
    _expect(source, "source", (None, None, None, None))
    _expect(depth, "depth", (None, 1, None, None))
    _expect(K, "K", (None, 3, 3))
    _expect(T_source_target, "T_source_target", (None, 4, 4))
    height, width = source.shape[-2:]
    return sample(source, sampling_grid(_full_precision(depth), K, T_source_target, (height, width)))


def sample(source: Tensor, grid: Tensor) -> Tensor:
    """The source image (B, C, h, w) at the places of a normalised grid (B, H, W, 2), as from `project`: (B, C, H, W).

    Bilinear; places outside the image take its border colour. If any place is NaN, the whole result is NaN, because
    grid_sample itself may read arbitrary memory there.
    """
    _expect(source, "source", (None, None, None, None))
    places = grid.nan_to_num(0.0, posinf=2.0, neginf=-2.0)
    found = functional.grid_sample(
        source.to(grid.dtype), places, mode="bilinear", padding_mode="border", align_corners=True
    )
    return found + 0.0 * grid.detach().mean()


def _full_precision(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def _expect(tensor: Tensor, name: str, shape: tuple[int | None, ...]) -> None:
    given = tuple(tensor.shape)
    if len(given) != len(shape) or any(s is not None and s != g for s, g in zip(shape, given)):
        wanted = ", ".join("any" if s is None else str(s) for s in shape)
        raise ValueError(f"{name} has shape {given}, expected ({wanted})")
