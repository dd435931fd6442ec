"""Colour for what the samples see: textures at the right reduction, light and haze."""

from dataclasses import dataclass

import cv2
import numpy as np

from monodepth_ros.data.synthetic.ground import Ground
from monodepth_ros.data.synthetic.scene import Scene
from monodepth_ros.data.synthetic.sky import BOTTOM, TOP
from monodepth_ros.data.synthetic.visibility import FIRST, GROUND, SKY, Visibility

# The reduction is chosen for this share of a pixel, alternating between corner and centre samples:
# neighbouring samples average out the rest, and the alternation hides where one reduction gives way to the
# next.
FOOTPRINT = (0.55, 0.8)
HAZE_DISTANCE = 700.0  # metres


@dataclass(frozen=True)
class Illumination:
    """A moment's light: RGB factors of the sun and of the sky's diffuse light, the sky's own brightness, haze 0..255."""

    sun: np.ndarray
    ambient: np.ndarray
    sky: np.ndarray
    haze: np.ndarray


class Shading:
    """Colours one picture: `colors` is (rows, columns, 3) float32, 0..255."""

    def __init__(self, seen: Visibility, scene: Scene, light: Illumination, footprints: np.ndarray) -> None:
        """footprints: (k, 4) s, n, length and width of moving cars, below which the ground is dark."""
        self.seen, self.atlas, self.light = seen, scene.atlas, light
        grid = seen.grid
        shape = seen.surface.shape
        self.surface = seen.surface.ravel()
        self.inverse_depth = seen.inverse_depth.ravel()
        self.rays = grid.rays.reshape(3, -1)
        share = np.where(np.arange(shape[0]) % 2 == 0, *FOOTPRINT).astype(np.float32)
        self.footprint = np.repeat(share, shape[1])
        self.map_x = np.zeros(len(self.surface), np.float32)
        self.map_y = np.zeros(len(self.surface), np.float32)
        self.gain = np.ones((len(self.surface), 3), np.float32)
        kind = np.full(len(seen.polygons) + FIRST, 2, np.int8)
        kind[SKY], kind[GROUND] = 0, 1
        kind[FIRST:][seen.polygons["on_road"]] = 1
        kinds = kind[self.surface]
        self._shade_sky(np.flatnonzero(kinds == 0), scene.panorama)
        self._shade_ground(np.flatnonzero(kinds == 1), scene.ground, footprints)
        self._shade_polygons(np.flatnonzero(kinds == 2))
        texels = cv2.remap(
            self.atlas.sheet, self.map_x.reshape(shape), self.map_y.reshape(shape), cv2.INTER_LINEAR
        )
        colors = texels.reshape(-1, 3) * self.gain
        clear = np.exp(self._haze_exponent())[:, None]
        colors -= light.haze
        colors *= clear
        colors += light.haze
        self.colors = colors.reshape(*shape, 3)

    def _haze_exponent(self) -> np.ndarray:
        """Exponent of the haze's transmission, 0 for the sky, which has its haze painted in."""
        with np.errstate(divide="ignore"):
            return np.where(self.surface == SKY, 0, -1 / (HAZE_DISTANCE * self.inverse_depth)).astype(
                np.float32
            )

    def _look_up(self, at: np.ndarray, u, v, texels_u, texels_v, rectangle, levels) -> None:
        """Where samples `at` find texture coordinates (u, v) on the sheet, given texels per pixel in both directions."""
        x0, y0, width, height = rectangle
        footprint = self.footprint[at]
        rows, columns = self.atlas.sheet.shape[:2]
        for target, coordinate, texels, start, extent, limit, end in (
            (self.map_x, u, texels_u, x0, width, levels[0], np.float32(columns)),
            (self.map_y, v, texels_v, y0, height, levels[1], np.float32(rows)),
        ):
            level = np.floor(np.log2(np.maximum(texels * footprint, 1)))
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
        R = self.seen.R.astype(np.float32)
        x, y = self.rays[0, at], self.rays[1, at]
        x, y, z = (R[i, 0] * x + R[i, 1] * y + R[i, 2] for i in range(3))
        u = np.arctan2(y, x) * np.float32(-0.5 / np.pi)
        tangent = z / np.sqrt(x * x + y * y)
        v = (TOP - np.clip(tangent, BOTTOM + 1e-3, TOP - 1e-3)) / (TOP - BOTTOM)
        rectangle = self.atlas.rectangles[panorama]
        levels = self.atlas.max_levels[panorama]
        texels = np.float32(1)
        self._look_up(at, u, v, texels, texels, rectangle, levels)
        self.gain[at] = self.light.sky

    def _shade_ground(self, at: np.ndarray, ground: Ground, footprints: np.ndarray) -> None:
        """Coloured by the place on the street, for the road itself and the pavements a step above it."""
        z = 1 / self.inverse_depth[at]
        R = self.seen.R.astype(np.float32)
        x, y = self.rays[0, at], self.rays[1, at]
        dx = z * (R[0, 0] * x + R[0, 1] * y + R[0, 2])
        dy = z * (R[1, 0] * x + R[1, 1] * y + R[1, 2])
        dz = z * (R[2, 0] * x + R[2, 1] * y + R[2, 2])
        camera = self.seen.grid.camera
        px, py = (np.float32(value) for value in self.seen.position[:2])
        s, n, tangent_x, tangent_y = ground.road.to_road_with_tangent(dx + px, dy + py)
        distance = np.sqrt(dx * dx + dy * dy)
        along = (dx * tangent_x + dy * tangent_y) / np.maximum(distance, 1e-3)
        along = np.minimum(along * along, 1)
        radial = np.square(z * distance / (np.maximum(-dz, 0.01) * camera.fy))
        lateral = np.square(z / camera.fx)
        step_s = np.sqrt(radial * along + lateral * (1 - along))
        step_n = np.sqrt(radial * (1 - along) + lateral * along)
        texture = ground.texture(s, n)
        size = ground.sizes[texture]
        rectangle = self.atlas.rectangles[texture].T
        u, v = 0.5 - n / size[:, 0], -s / size[:, 1]
        texels_u, texels_v = step_n * rectangle[2] / size[:, 0], step_s * rectangle[3] / size[:, 1]
        self._look_up(at, u, v, texels_u, texels_v, rectangle, self.atlas.max_levels[texture].T)
        s_camera, _ = ground.road.to_road(px[None], py[None])
        sun, ambient = ground.light(s, n, step_s * self.footprint[at], float(s_camera[0]))
        for s_car, n_car, length, width in footprints:
            below = np.flatnonzero((np.abs(s - s_car) < length) & (np.abs(n - n_car) < width))
            outside = np.maximum(np.abs(s[below] - s_car) - length / 2, np.abs(n[below] - n_car) - width / 2)
            share = np.clip(outside * 2 + 0.7, 0.25, 1)
            sun[below] *= share
            ambient[below] *= share
        self.gain[at] = sun[:, None] * self.light.sun + ambient[:, None] * self.light.ambient

    def _shade_polygons(self, at: np.ndarray) -> None:
        polygons = self.seen.polygons
        k = self.surface[at] - FIRST
        u0, U, v0, V = self.seen.texture_forms(slice(None))
        textures = polygons["texture"]
        columns = [u0, *U.T, v0, *V.T, *self.seen.planes.T[:2], *self.atlas.rectangles[textures].T]
        table = np.take(np.stack(columns).astype(np.float32), k, axis=1)
        u0, U0, U1, U2, v0, V0, V1, V2, plane_x, plane_y, *rectangle = table
        levels = np.take(self.atlas.max_levels[textures].T, k, axis=1)
        x, y = self.rays[0, at], self.rays[1, at]
        z = 1 / self.inverse_depth[at]
        camera = self.seen.grid.camera
        texels = []
        for t0, t1, t2, extent in ((U0, U1, U2, rectangle[2]), (V0, V1, V2, rectangle[3])):
            slope = t0 * x + t1 * y + t2
            slope *= z
            across = np.abs(t0 - slope * plane_x) * (1 / camera.fx)
            down = np.abs(t1 - slope * plane_y) * (1 / camera.fy)
            texels.append((slope, z * extent * np.maximum(across, down)))
        (u, texels_u), (v, texels_v) = texels
        self._look_up(at, u + u0, v + v0, texels_u, texels_v, rectangle, levels)
        gain = polygons["sun"][:, None] * self.light.sun + polygons["ambient"][:, None] * self.light.ambient
        self.gain[at] = (gain * polygons["tint"]).astype(np.float32)[k]
