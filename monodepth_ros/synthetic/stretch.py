# SPDX-License-Identifier: Apache-2.0
"""One side of a stretch of street between two junctions, and the painted things that it is furnished with."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.synthetic import plants, vehicles
from monodepth_ros.synthetic.buildings import BuildingTextures
from monodepth_ros.synthetic.furniture import FurnitureTextures
from monodepth_ros.synthetic.pavement import CrossSection
from monodepth_ros.synthetic.placement import Placement
from monodepth_ros.synthetic.plants import Species


@dataclass(frozen=True)
class Stock:
    """Texture numbers of everything that stands along a street."""

    styles: list[BuildingTextures]
    species: list[Species]
    conifer: Species
    hedge: int
    cars: list[vehicles.CarTextures]
    furniture: FurnitureTextures


@dataclass(frozen=True)
class Stretch:
    """One side of the street from s = start to end [m]. side: 1 left, -1 right. placement: collects the meshes."""

    rng: np.random.Generator
    placement: Placement
    section: CrossSection
    stock: Stock
    start: float
    end: float
    side: int

    def pick(self, choices: list):
        """One of the choices at random."""
        return choices[self.rng.integers(len(choices))]

    def tree(self, height: float) -> np.ndarray:
        """Mesh of a tree of a random species at the origin; one of five is a conifer."""
        if self.rng.random() < 0.2:
            return plants.conifer(self.rng, self.stock.conifer, height)
        return plants.tree(self.rng, self.pick(self.stock.species), height)
