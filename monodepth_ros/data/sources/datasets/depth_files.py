# SPDX-License-Identifier: Apache-2.0
"""Reference depth of one image from a file: a 16-bit PNG, or the points of a LiDAR."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monodepth_ros.data.depth.cloud_depth import depth_of_points, plausible_points
from monodepth_ros.data.depth.depth_codec import KITTI_COUNTS_PER_METRE, read_depth_png
from monodepth_ros.data.images.image_codec import ImageError
from monodepth_ros.errors import one_line
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.input_file import ordinary_file
from monodepth_ros.limits import LARGEST_MESSAGE


@dataclass(frozen=True)
class DepthPng:
    """A 16-bit PNG of the image's size; 0 means unknown."""

    path: Path
    counts_per_metre: float = KITTI_COUNTS_PER_METRE

    def __call__(self, camera: CameraModel) -> np.ndarray:
        return read_depth_png(self.path, self.counts_per_metre)


@dataclass(frozen=True)
class LidarPoints:
    """A file of float32 points, x y z and other numbers. numbers: per point. T_camera_lidar: (4, 4)."""

    path: Path
    numbers: int
    T_camera_lidar: np.ndarray

    def __call__(self, camera: CameraModel) -> np.ndarray:
        try:
            data = ordinary_file(self.path, LARGEST_MESSAGE).read_bytes()
        except OSError as error:
            raise ImageError(f"{self.path} cannot be read: {one_line(error)}") from None
        if len(data) % (4 * self.numbers):
            raise ImageError(f"{self.path} has {len(data)} bytes, expected {4 * self.numbers} for each point")
        values = np.frombuffer(data, "<f4")
        points = plausible_points(values.reshape(-1, self.numbers)[:, :3])
        return depth_of_points(points, self.T_camera_lidar, camera)


def depth_pngs(folder: Path, files: list[Path]) -> dict[int, DepthPng]:
    """KITTI's depth PNGs in a folder that have the names of images, by the number of the image."""
    if not folder.is_dir():
        return {}
    there = ((number, folder / f"{file.stem}.png") for number, file in enumerate(files))
    return {number: DepthPng(path) for number, path in there if path.is_file()}
