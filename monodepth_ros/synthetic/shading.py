# SPDX-License-Identifier: Apache-2.0
"""Colours of the samples: textures at a suitable reduction, light and haze."""

import cv2
import numpy as np

from monodepth_ros.synthetic.ground import Ground
from monodepth_ros.synthetic.projection import Projection
from monodepth_ros.synthetic.road import Road
from monodepth_ros.synthetic.sample_grid import SampleGrid
from monodepth_ros.synthetic.scene import Scene
from monodepth_ros.synthetic.sky import BOTTOM, TOP
from monodepth_ros.synthetic.sunlight import Illumination
from monodepth_ros.synthetic.visibility import FIRST, GROUND, SKY, Visibility

# The reduction suits this share of a pixel, for corner and for centre samples. Neighbouring samples average the rest,
# and alternating between two values hides the transition from one reduction to the next.
FOOTPRINT = (0.55, 0.8)
HAZE_DISTANCE = 700.0  # metres


class Shading:
    """Shading of one picture. colors: (rows, columns, 3) float32, 0..255."""

    def __init__(
        self,
        grid: SampleGrid,
        projection: Projection,
        seen: Visibility,
        scene: Scene,
        light: Illumination,
        footprints: np.ndarray,
    ) -> None:
        """footprints: (k, 4) s, n, length and width of moving cars [m], below which the ground is dark."""
        self.camera, self.projection, self.atlas, self.light = grid.camera, projection, scene.atlas, light
        shape = seen.surface.shape
        self.surface = seen.surface.ravel()
        self.inverse_depth = seen.inverse_depth.ravel()
        self.rays = grid.rays.reshape(3, -1)
        share = np.where(np.arange(shape[0]) % 2 == 0, *FOOTPRINT).astype(np.float32)
        self.footprint = np.repeat(share, shape[1])
        self.map_x = np.zeros(len(self.surface), np.float32)
        self.map_y = np.zeros(len(self.surface), np.float32)
        self.gain = np.ones((len(self.surface), 3), np.float32)
        kind = np.full(len(projection.polygons) + FIRST, 2, np.int8)
        kind[SKY], kind[GROUND] = 0, 1
        kind[FIRST:][projection.polygons["on_road"]] = 1
        kinds = kind[self.surface]
        self._shade_sky(np.flatnonzero(kinds == 0), scene.panorama)
        self._shade_ground(np.flatnonzero(kinds == 1), scene.ground, footprints)
        self._shade_polygons(np.flatnonzero(kinds == 2))
        texels = cv2.remap(self.atlas.sheet, self.map_x.reshape(shape), self.map_y.reshape(shape), cv2.INTER_LINEAR)
        colors = texels.reshape(-1, 3) * self.gain
        colors -= light.haze
        colors *= self._clearness()[:, None]
        colors += light.haze
        self.colors = colors.reshape(*shape, 3)

    def _clearness(self) -> np.ndarray:
        """Share of light that passes the haze; 1 for the sky, whose texture contains the haze."""
        nothing_there = self.surface == SKY
        distance = 1 / np.where(nothing_there, 1, self.inverse_depth)
        return np.where(nothing_there, 1, np.exp(distance * np.float32(-1 / HAZE_DISTANCE)))

    def _look_up(self, at: np.ndarray, uv, texels, rectangle, levels) -> None:
        """Set the places on the atlas's sheet that the samples `at` look up.

        uv: texture coordinates [copies]. texels: number of texels in a pixel, along u and v. rectangle, levels: of the
        texture, see `Atlas`.
        """
        x0, y0, width, height = rectangle
        footprint = self.footprint[at]
        rows, columns = self.atlas.sheet.shape[:2]
        for target, coordinate, density, start, extent, limit, end in (
            (self.map_x, uv[0], texels[0], x0, width, levels[0], np.float32(columns)),
            (self.map_y, uv[1], texels[1], y0, height, levels[1], np.float32(rows)),
        ):
            level = np.floor(np.log2(np.maximum(density * footprint, 1)))
            scale = np.exp2(-np.minimum(level, limit))
            extent = extent * scale
            place = coordinate - np.floor(coordinate)
            place *= extent
            np.maximum(place, 0.5, out=place)
            np.minimum(place, extent - 0.5, out=place)
            place += (start - end) * scale
            place += end - 0.5
            target[at] = place

    def _shade_sky(self, at: np.ndarray, panorama: int) -> None:
        R = self.projection.R.astype(np.float32)
        x, y = self.rays[0, at], self.rays[1, at]
        x, y, z = (R[i, 0] * x + R[i, 1] * y + R[i, 2] for i in range(3))
        u = np.arctan2(y, x) * np.float32(-0.5 / np.pi)
        tangent = z / np.sqrt(x * x + y * y)
        v = (TOP - np.clip(tangent, BOTTOM + 1e-3, TOP - 1e-3)) / (TOP - BOTTOM)
        rectangle = self.atlas.rectangles[panorama]
        levels = self.atlas.max_levels[panorama]
        texel = np.float32(1)
        self._look_up(at, (u, v), (texel, texel), rectangle, levels)
        self.gain[at] = self.light.sky

    def _shade_ground(self, at: np.ndarray, ground: Ground, footprints: np.ndarray) -> None:
        """Colour the road and the raised pavements by their place on the street."""
        if not len(at):
            return
        s, n, step_s, step_n = self._street_coordinates(at, ground.road)
        texture = ground.texture(s, n)
        width, height = ground.sizes[texture].T
        rectangle = self.atlas.rectangles[texture].T
        texels = step_n * rectangle[2] / width, step_s * rectangle[3] / height
        levels = self.atlas.max_levels[texture].T
        self._look_up(at, (0.5 - n / width, -s / height), texels, rectangle, levels)
        sun, ambient = ground.light(s, n, step_s * self.footprint[at], self._s_camera)
        for s_car, n_car, length, width in footprints:
            below = np.flatnonzero((np.abs(s - s_car) < length) & (np.abs(n - n_car) < width))
            outside = np.maximum(np.abs(s[below] - s_car) - length / 2, np.abs(n[below] - n_car) - width / 2)
            share = np.clip(outside * 2 + 0.7, 0.25, 1)
            sun[below] *= share
            ambient[below] *= share
        self.gain[at] = sun[:, None] * self.light.sun + ambient[:, None] * self.light.ambient

    def _street_coordinates(self, at: np.ndarray, road: Road) -> tuple[np.ndarray, ...]:
        """(s, n, step_s, step_n) of samples on level ground [m]; the steps are from pixel to pixel."""
        camera, R = self.camera, self.projection.R.astype(np.float32)
        position = self.projection.position.astype(np.float32)
        self._s_camera = float(road.to_road(position[:1], position[1:2])[0][0])
        x, y = self.rays[0, at], self.rays[1, at]
        z = 1 / self.inverse_depth[at]
        dx, dy, dz = (z * (R[i, 0] * x + R[i, 1] * y + R[i, 2]) for i in range(3))
        s, n, tangent_x, tangent_y = road.to_road_with_tangent(dx + position[0], dy + position[1])
        distance = np.sqrt(dx * dx + dy * dy)
        along = np.square(np.minimum((dx * tangent_x + dy * tangent_y) / np.maximum(distance, 1e-3), 1))
        # On the ground a pixel is longer, in the viewing direction, than it is wide.
        radial = np.square(z * distance / (np.maximum(-dz, 0.01) * camera.fy))
        lateral = np.square(z / camera.fx)
        step_s = np.sqrt(radial * along + lateral * (1 - along))
        step_n = np.sqrt(radial * (1 - along) + lateral * along)
        return s, n, step_s, step_n

    def _shade_polygons(self, at: np.ndarray) -> None:
        polygons, camera = self.projection.polygons, self.camera
        k = self.surface[at] - FIRST
        u0, U, v0, V = self.projection.texture_forms(slice(None))
        textures = polygons["texture"]
        columns = [u0, *U.T, v0, *V.T, *self.projection.planes.T[:2], *self.atlas.rectangles[textures].T]
        table = np.take(np.stack(columns).astype(np.float32), k, axis=1)
        u0, U0, U1, U2, v0, V0, V1, V2, plane_x, plane_y, *rectangle = table
        levels = np.take(self.atlas.max_levels[textures].T, k, axis=1)
        x, y = self.rays[0, at], self.rays[1, at]
        z = 1 / self.inverse_depth[at]
        texels = []
        for t0, t1, t2, extent in ((U0, U1, U2, rectangle[2]), (V0, V1, V2, rectangle[3])):
            slope = t0 * x + t1 * y + t2
            slope *= z
            across = np.abs(t0 - slope * plane_x) * (1 / camera.fx)
            down = np.abs(t1 - slope * plane_y) * (1 / camera.fy)
            texels.append((slope, z * extent * np.maximum(across, down)))
        (u, texels_u), (v, texels_v) = texels
        self._look_up(at, (u + u0, v + v0), (texels_u, texels_v), rectangle, levels)
        gain = polygons["sun"][:, None] * self.light.sun + polygons["ambient"][:, None] * self.light.ambient
        self.gain[at] = (gain * polygons["tint"]).astype(np.float32)[k]
