# SPDX-License-Identifier: Apache-2.0
"""The sampled rays of a camera, with its distortion."""

import numpy as np

from monodepth_ros.geometry.camera import CameraModel


class SampleGrid:
    """The rays along which a camera's picture is sampled.

    Samples are the centre and the four corners of each pixel, with weights 1/2 and 4 x 1/8 (Quincunx antialiasing).
    That makes two samples a pixel, because neighbours share corners. They form 2 H + 1 rows of W + 1: corners in the
    even rows, centres in the odd ones, whose last column is unused. rays: (3, 2 H + 1, W + 1) float32 (x/z, y/z, 1) in
    the camera's frame. blind: (2 H + 1, W + 1) bool, samples without a ray in the camera model.
    """

    def __init__(self, camera: CameraModel) -> None:
        self.camera = camera
        pixels = np.stack(np.meshgrid(np.arange(camera.width + 1.0), np.arange(2 * camera.height + 1) / 2 - 0.5), -1)
        pixels[::2, :, 0] -= 0.5
        rays = np.moveaxis(camera.backproject(pixels, np.ones(pixels.shape[:2])), -1, 0)
        self.blind = ~np.isfinite(rays).all(axis=0)
        rays[:, self.blind] = np.array([[0], [0], [1]])
        self.rays = np.ascontiguousarray(rays, np.float32)
        self.column_bounds = _sorted_bounds(rays[0].min(axis=0), rays[0].max(axis=0))
        self.row_bounds = _sorted_bounds(rays[1].min(axis=1), rays[1].max(axis=1))


def _sorted_bounds(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The range of ray coordinates of each row or column, as two sorted arrays for binary search."""
    return np.minimum.accumulate(low[::-1])[::-1], np.maximum.accumulate(high)
