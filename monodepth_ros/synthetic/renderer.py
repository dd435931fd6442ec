# SPDX-License-Identifier: Apache-2.0
"""Rendering of a scene: a picture and its exact depth."""

from dataclasses import dataclass

import cv2
import numpy as np

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.synthetic.projection import Projection
from monodepth_ros.synthetic.sample_grid import SampleGrid
from monodepth_ros.synthetic.scene import Scene
from monodepth_ros.synthetic.shading import Shading
from monodepth_ros.synthetic.sunlight import Illumination
from monodepth_ros.synthetic.traffic import NOBODY, MovingCars
from monodepth_ros.synthetic.visibility import FIRST, Visibility


@dataclass(frozen=True)
class View:
    """A rendered picture.

    image: (H, W, 3) uint8 RGB. depth: (H, W) float32 along the optical axis at the centre of the pixel [m], +inf for
    sky, NaN where the camera model has no ray. moving: (H, W) bool, pixels of moving objects.
    """

    image: np.ndarray
    depth: np.ndarray
    moving: np.ndarray


class Renderer:
    """Renderer of scenes for one camera, with or without distortion."""

    def __init__(self, camera: CameraModel) -> None:
        self.camera = camera
        self._grid = SampleGrid(camera)

    def render(
        self, scene: Scene, T_world_camera: np.ndarray, light: Illumination, moving: MovingCars = NOBODY
    ) -> View:
        """Render one picture. T_world_camera: (4, 4) pose in optical axes. moving: the traffic at this moment."""
        polygons = scene.near(T_world_camera[:3, 3])
        first_moving = FIRST + len(polygons)
        polygons = np.concatenate([polygons, moving.mesh])
        projection = Projection(polygons, T_world_camera)
        seen = Visibility(self._grid, projection, scene.masks, scene.far)
        shaded = Shading(self._grid, projection, seen, scene, light, moving.footprints)
        blind = self._grid.blind[1::2, :-1]
        with np.errstate(divide="ignore"):
            depth = 1 / seen.inverse_depth[1::2, :-1]
        depth[blind] = np.nan
        image = _resolve(shaded.colors)
        image[blind] = 0
        return View(image, depth, seen.surface[1::2, :-1] >= first_moving)


def _resolve(colors: np.ndarray) -> np.ndarray:
    """(H, W, 3) pixels from (2 H + 1, W + 1, 3) samples: half the centre plus an eighth of each corner."""
    corners, centers = colors[::2], colors[1::2, :-1]
    sums = corners[:-1] + corners[1:]
    pixels = (sums[:, :-1] + sums[:, 1:]) * np.float32(0.125) + centers * np.float32(0.5)
    return cv2.LUT(np.clip(pixels + 0.5, 0, 255).astype(np.uint8), _TONE)


def _tone_curve() -> np.ndarray:
    """A camera's tone curve (256,): brighter shadows, more contrast in the middle, less towards white."""
    x = np.linspace(0, 1, 256) ** 0.86
    return np.clip(255 * (0.75 * x + 0.25 * x * x * (3 - 2 * x)) + 0.5, 0, 255).astype(np.uint8)


_TONE = _tone_curve()
