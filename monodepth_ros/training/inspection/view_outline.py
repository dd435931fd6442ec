# SPDX-License-Identifier: Apache-2.0
"""The outline of what the networks see, in the image as published."""

import numpy as np

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.pipeline.network_view import NetworkView

POINTS_PER_SIDE = 33


def view_outline(view: NetworkView, camera: CameraModel) -> np.ndarray:
    """Pixels (N, 2) of `camera`'s image on the border of the networks' input, in order; without rays that it lacks.

    A straight side is bent by the lens. The outline leaves the image where the networks see more than the camera.
    """
    width, height = view.camera.width, view.camera.height
    share = np.linspace(0.0, 1.0, POINTS_PER_SIDE)[:-1, None]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64) - 0.5
    border = np.concatenate([a + share * (b - a) for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)])
    camera = camera.assumed()
    rays = view.camera.backproject(border, np.ones(len(border))) @ camera.R  # R maps rays to the rectified camera
    pixels = camera.project(rays)
    return pixels[np.isfinite(pixels).all(axis=-1)]
