# SPDX-License-Identifier: Apache-2.0
"""Coloured, organised point clouds from depth and colour."""

import cv2
import numpy as np

from monodepth_ros.geometry.camera import CameraModel

# Packed colour: 0x00RRGGBB in the four bytes of a little-endian float, as PCL and RViz read it.
CLOUD_DTYPE = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("rgb", "<f4")])


def colored_points(
    depth: np.ndarray, rgb: np.ndarray, camera: CameraModel, stride: int, min_range: float, max_range: float
) -> tuple[np.ndarray, bool]:
    """Points (ceil(H / stride), ceil(W / stride)) of CLOUD_DTYPE in the optical frame [m], and whether all are finite.

    depth: float32 (H, W) [m]; rgb: uint8 (H, W, 3); camera: pinhole model of both. A point gets NaN coordinates, and
    keeps its colour, if its depth is not finite or outside min_range..max_range.
    """
    z = depth[::stride, ::stride]
    rays = camera.ray_grid()[::stride, ::stride]
    color = rgb[::stride, ::stride]
    points = np.empty(z.shape, CLOUD_DTYPE)
    values = points.view(np.float32).reshape(*z.shape, 4)
    with np.errstate(invalid="ignore"):
        inside = (z >= min_range) & (z <= max_range)
    is_dense = bool(inside.all())
    if not is_dense:
        z = np.where(inside, z, np.float32(np.nan))
    np.multiply(rays[..., 0], z, out=values[..., 0])
    np.multiply(rays[..., 1], z, out=values[..., 1])
    values[..., 2] = z
    packed = cv2.cvtColor(np.ascontiguousarray(color), cv2.COLOR_RGB2BGRA)
    packed[..., 3] = 0
    values[..., 3] = packed.view(np.float32)[..., 0]
    return points, is_dense


def known_points(cloud: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions (N, 3), float32, optical frame, and colours (N, 3), uint8 rgb, of the finite points of CLOUD_DTYPE."""
    values = cloud.reshape(-1)
    values = values[np.isfinite(values["z"])]
    bgra = np.ascontiguousarray(values["rgb"]).view(np.uint8).reshape(-1, 4)
    return np.stack([values[axis] for axis in "xyz"], axis=-1), bgra[:, 2::-1]
