# SPDX-License-Identifier: Apache-2.0
"""Light of sun and sky: its share on every polygon, shadows on the ground, changes with time."""

from dataclasses import dataclass

import cv2
import numpy as np

from monodepth_ros.synthetic.ground import LIGHT_REACH, TEXEL
from monodepth_ros.synthetic.noise import fractal_noise
from monodepth_ros.synthetic.road import Road
from monodepth_ros.synthetic.sky import HAZE

COLUMNS = int(2 * LIGHT_REACH / TEXEL)
LOWEST_CASTER = 0.3  # metres; shadows of lower things, such as kerbs, are not drawn
LOW = 1.5  # metres; polygons that begin below it lie in the shadow on the ground in front of them


@dataclass(frozen=True)
class Illumination:
    """The light of one moment, RGB (3,) each: factors for sun, skylight and sky, and the colour of the haze."""

    sun: np.ndarray
    ambient: np.ndarray
    sky: np.ndarray
    haze: np.ndarray


@dataclass(frozen=True)
class Sun:
    """The sun. direction: (3,) unit vector towards it. cloudiness: from 0 (clear) to 1 (overcast)."""

    direction: np.ndarray
    cloudiness: float

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Sun":
        """A random sun at 30 to 58 degrees of elevation, never straight ahead, mostly in fair weather."""
        elevation = np.radians(rng.uniform(30, 58))
        azimuth = rng.choice([-1, 1]) * np.radians(rng.uniform(35, 155))
        flat = np.cos(elevation)
        direction = np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)])
        return cls(direction, float(np.clip(rng.beta(1.4, 3.0), 0.05, 0.9)))


class Weather:
    """The light over time. Clouds pass before the sun, and the camera's exposure follows slowly, if it is changing."""

    def __init__(self, rng: np.random.Generator, sun: Sun, changing: bool = True) -> None:
        self.sun = sun
        self._changing = changing
        self._phases = rng.uniform(0, 2 * np.pi, (3, 4))
        self._periods = rng.uniform((9, 17, 31, 53), (16, 30, 50, 90), (3, 4))

    def at(self, time: float) -> Illumination:
        """The light at a time [s]."""
        clear = 1 - self.sun.cloudiness
        veil, warmth, exposure = self._drift(time) if self._changing else (0.0, 0.0, 0.0)
        sun = np.array((1.07, 1.0, 0.89)) * (0.1 + 1.02 * clear) * (1 + 0.4 * veil)
        ambient = np.array((0.94, 0.985, 1.06)) * (0.98 - 0.42 * clear) * (1 + 0.08 * veil)
        gain = (1 + 0.1 * exposure) * np.array((1 + 0.025 * warmth, 1, 1 - 0.025 * warmth))
        sky = 0.96 * gain * (1 + 0.05 * veil)
        return Illumination(*(np.asarray(value, np.float32) for value in (sun * gain, ambient * gain, sky, HAZE * sky)))

    def _drift(self, time: float) -> np.ndarray:
        """(3,) slow smooth changes between -1 and 1."""
        return np.sin(2 * np.pi * time / self._periods + self._phases).mean(axis=1)


def light_polygons(polygons: np.ndarray, sun: Sun) -> None:
    """Set `ambient` and `sun` of polygons by their normals; leaf cards let light through."""
    up = polygons["normal"][:, 2]
    cosine = polygons["normal"] @ sun.direction
    polygons["ambient"] = 0.78 + 0.22 * up
    polygons["sun"] = np.where(polygons["two_sided"], 0.35 + 0.4 * np.abs(cosine), np.maximum(cosine, 0))


class LightMap:
    """Light on the ground: rows of TEXEL metres along the street, columns from left to right."""

    def __init__(self, rng: np.random.Generator, road: Road, sun: Sun) -> None:
        self._rng, self._road, self._sun = rng, road, sun
        shape = (int(road.length / TEXEL), COLUMNS)
        self._shadow = np.zeros(shape, np.uint8)
        self._foliage = np.zeros(shape, np.uint8)
        self._contact = np.zeros(shape, np.uint8)

    def add_casters(self, polygons: np.ndarray) -> None:
        """Add the shadows of polygons: dappled ones of two-sided polygons (foliage), none of the ground."""
        polygons = polygons[polygons["corners"][..., 2].max(axis=1) > LOWEST_CASTER]
        corners = polygons["corners"]
        x, y, z = np.moveaxis(corners, -1, 0)
        direction = self._sun.direction
        rows, columns = self._pixels(x - z * direction[0] / direction[2], y - z * direction[1] / direction[2])
        points = np.round(np.stack([columns, rows], -1) * 16).astype(np.int32)
        for polygon, leaves in zip(points, polygons["two_sided"], strict=True):
            cv2.fillConvexPoly(self._foliage if leaves else self._shadow, polygon, 255, cv2.LINE_8, shift=4)

    def add_contacts(self, polygons: np.ndarray) -> None:
        """Darken the ground along the feet of walls and posts."""
        corners = polygons["corners"][:, :2]
        standing = (corners[..., 2].max(axis=1) < 0.5) & (np.abs(polygons["normal"][:, 2]) < 0.3)
        self._draw(corners[standing], 90, thickness=5)

    def add_footprints(self, footprints: np.ndarray) -> None:
        """Darken the ground below cars. footprints: (k, 4, 2) world corners [m]."""
        rows, columns = self._pixels(footprints[..., 0], footprints[..., 1])
        for polygon in np.round(np.stack([columns, rows], -1) * 16).astype(np.int32):
            cv2.fillConvexPoly(self._contact, polygon, 255, cv2.LINE_8, shift=4)

    def sun_at(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Share 0..1 of the sun's light at world points on the ground; foliage takes half."""
        rows, columns = self._pixels(np.asarray(x, np.float64), np.asarray(y, np.float64))
        rows = np.clip(rows, 0, len(self._shadow) - 1).astype(int)
        columns = np.clip(columns, 0, COLUMNS - 1).astype(int)
        return (1 - self._shadow[rows, columns] / 255) * (1 - 0.5 * self._foliage[rows, columns] / 255)

    def shade_low_polygons(self, polygons: np.ndarray) -> None:
        """Remove the sun from polygons whose feet stand in a shadow, measured a metre in front of them."""
        corners = polygons["corners"]
        low = (corners[..., 2].min(axis=1) < LOW) & ~polygons["on_road"]
        share = np.zeros(int(low.sum()))
        for weight in (0.15, 0.5, 0.85):
            foot = corners[low, 0] * (1 - weight) + corners[low, 1] * weight + polygons["normal"][low]
            share += self.sun_at(foot[:, 0], foot[:, 1]) / 3
        polygons["sun"][low] *= share

    def finished(self) -> np.ndarray:
        """The light map of `Ground` (rows, columns, 2) uint8: shares of the sun's and the sky's light."""
        columns = self._shadow.shape[1]
        sharp = cv2.GaussianBlur(self._shadow, (0, 0), 1.0).astype(np.float32) / 255
        gaps = fractal_noise(self._rng, 2048, columns, (256, 32), 3, 0.8)
        gaps = np.resize(np.clip(0.75 + 0.55 * gaps, 0, 1), self._foliage.shape)
        dappled = cv2.GaussianBlur((self._foliage * gaps).astype(np.uint8), (0, 0), 1.2).astype(np.float32) / 255
        sun = (1 - sharp) * (1 - 0.88 * dappled) * self._sun.direction[2]
        contact = self._contact.astype(np.float32) / 255
        near = cv2.GaussianBlur(contact, (0, 0), 1.4)
        wide = cv2.GaussianBlur(contact, (0, 0), 5)
        cover = cv2.GaussianBlur(self._foliage, (0, 0), 8).astype(np.float32) / 255
        ambient = (1 - 0.62 * near) * (1 - 0.35 * wide) * (1 - 0.2 * cover)
        return np.clip(np.stack([sun * (1 - 0.5 * near), ambient], -1) * 255 + 0.5, 0, 255).astype(np.uint8)

    def _draw(self, lines: np.ndarray, value: int, thickness: int) -> None:
        rows, columns = self._pixels(lines[..., 0], lines[..., 1])
        for line in np.round(np.stack([columns, rows], -1) * 16).astype(np.int32):
            cv2.polylines(self._contact, [line], isClosed=False, color=value, thickness=thickness, shift=4)

    def _pixels(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        s, n = self._road.to_road(x.astype(np.float32).ravel(), y.astype(np.float32).ravel())
        rows = np.clip(s / TEXEL - 0.5, -1e4, 1e6).reshape(x.shape)
        columns = np.clip((LIGHT_REACH - n) / TEXEL - 0.5, -1e4, 1e4).reshape(x.shape)
        return rows, columns
