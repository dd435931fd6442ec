# SPDX-License-Identifier: Apache-2.0
"""Oncoming cars on the other lane."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.synthetic import vehicles
from monodepth_ros.synthetic.mesh import POLYGON, join, placed
from monodepth_ros.synthetic.street import Street
from monodepth_ros.synthetic.sunlight import light_polygons

SPACING = (45.0, 130.0)  # metres between them
SPEED = (7.0, 12.0)  # m/s


@dataclass(frozen=True)
class MovingCars:
    """The traffic of one moment. footprints: (k, 4) s, n, length and width of the cars [m]."""

    mesh: np.ndarray
    footprints: np.ndarray


class Traffic:
    """Oncoming cars at a common speed, which keeps them apart."""

    def __init__(self, rng: np.random.Generator, street: Street, seconds: float) -> None:
        self._street = street
        self._speed = rng.uniform(*SPEED)
        self._cars = []
        s = rng.uniform(30, 120)
        while s < street.scene.road.length + self._speed * seconds:
            textures = street.stock.cars[rng.integers(len(street.stock.cars))]
            self._cars.append((s, textures, vehicles.car(textures)))
            s += rng.uniform(*SPACING)

    def at(self, time: float) -> MovingCars:
        """The cars at a time [s]."""
        road, n = self._street.scene.road, self._street.section.lane / 2
        meshes, footprints = [], []
        for start, textures, mesh in self._cars:
            s = start - self._speed * time
            if not 2 < s < road.length - 2:
                continue
            x, y = road.to_world(s, n)
            mesh = placed(mesh, float(x), float(y), float(road.heading(s)) + np.pi)
            light_polygons(mesh, self._street.sun)
            mesh["sun"] *= self._street.scene.ground.sun_share(s, n)
            meshes.append(mesh)
            footprints.append((s, n, textures.shape.length, textures.shape.width))
        return MovingCars(join(*meshes), np.array(footprints, np.float32).reshape(-1, 4))


NOBODY = MovingCars(np.zeros(0, POLYGON), np.zeros((0, 4), np.float32))
