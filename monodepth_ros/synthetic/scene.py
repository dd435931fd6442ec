# SPDX-License-Identifier: Apache-2.0
"""A finished street: polygons, textures, ground and light, ready for a renderer."""

from dataclasses import dataclass, field

import numpy as np

from monodepth_ros.synthetic.atlas import Atlas, Texture
from monodepth_ros.synthetic.ground import Ground
from monodepth_ros.synthetic.masks import Masks
from monodepth_ros.synthetic.road import Road

BEHIND, AHEAD = 60.0, 300.0  # metres of street kept around a camera


@dataclass
class TextureStore:
    """A list of textures that gives each a number."""

    textures: list[Texture] = field(default_factory=list)

    def add(self, *textures: Texture) -> tuple[int, ...]:
        """Add textures and return their numbers."""
        first = len(self.textures)
        self.textures += textures
        return tuple(range(first, len(self.textures)))

    def add_one(self, texture: Texture) -> int:
        """Add a texture and return its number."""
        return self.add(texture)[0]


class Scene:
    """A street that can be rendered.

    polygons: POLYGON mesh in order of s. panorama: texture number of the sky. far: distance beyond which the ground
    counts as sky [m].
    """

    far = 2000.0

    def __init__(self, road: Road, polygons: np.ndarray, store: TextureStore, ground: Ground, panorama: int) -> None:
        center = polygons["corners"].mean(axis=1)
        s, _ = road.to_road(center[:, 0].astype(np.float32), center[:, 1].astype(np.float32))
        order = np.argsort(s, kind="stable")
        self.road, self.ground, self.panorama = road, ground, panorama
        self.polygons, self._s = polygons[order], s[order]
        self.atlas = Atlas(store.textures)
        self.masks = Masks(store.textures)

    def near(self, position: np.ndarray) -> np.ndarray:
        """The polygons that are visible from `position` (3,), with BEHIND and AHEAD as limits."""
        s, _ = self.road.to_road(np.float32(position[:1]), np.float32(position[1:2]))
        first, last = np.searchsorted(self._s, (s[0] - BEHIND, s[0] + AHEAD))
        return self.polygons[first:last]
