# SPDX-License-Identifier: Apache-2.0
"""Meshes placed by street coordinates: metres along the centreline (s) and to its left (n)."""

import numpy as np

from monodepth_ros.synthetic.mesh import placed
from monodepth_ros.synthetic.road import Road

KERB_HEIGHT = 0.12  # metres


class Placement:
    """Collects what stands along a street.

    large: meshes of houses, trees and ground. small: meshes of cars and street furniture. footprints: (4, 2) world
    corners of parked cars [m].
    """

    def __init__(self, road: Road) -> None:
        self._road = road
        self.large: list[np.ndarray] = []
        self.small: list[np.ndarray] = []
        self.footprints: list[np.ndarray] = []

    def add(
        self,
        target: list[np.ndarray],
        mesh: np.ndarray,
        s: float,
        n: float,
        *,
        facing: int = -1,
        turn: float = 0.0,
        z: float = KERB_HEIGHT,
    ) -> None:
        """Add a mesh to `large` or `small` at (s, n), its x axis along the street (facing -1) or against it (facing 1).

        turn: additional rotation [rad]. z: height [m].
        """
        x, y = self._road.to_world(s, n)
        heading = float(self._road.heading(s)) + (np.pi if facing > 0 else 0) + turn
        target.append(placed(mesh, float(x), float(y), heading, z))

    def add_front(self, mesh: np.ndarray, s0: float, n: float, width: float, side: int) -> float:
        """Add a mesh of `width` [m] to `large` with its front at |n| and its beginning at s0; returns the s of its end.

        side: 1 left, -1 right of the street.
        """
        curvature = float(self._road.curvature_at(s0))
        s1 = s0 + width / max(0.3, 1 - curvature * side * n)
        a = np.array(self._road.to_world(s0, side * n))
        b = np.array(self._road.to_world(s1, side * n))
        if side < 0:
            a, b = b, a
        direction = b - a
        self.large.append(placed(mesh, *a, float(np.arctan2(direction[1], direction[0])), KERB_HEIGHT))
        return s1

    def add_footprint(self, s: float, n: float, length: float, width: float) -> None:
        """Add the footprint of a car of this size [m] that stands along the street."""
        x, y = self._road.to_world(s, n)
        heading = float(self._road.heading(s))
        along = np.array([np.cos(heading), np.sin(heading)])
        across = np.array([-along[1], along[0]])
        offsets = ((-1, -1), (1, -1), (1, 1), (-1, 1))
        corners = [(x, y) + along * a * length / 2 * 0.94 + across * b * width / 2 * 0.94 for a, b in offsets]
        self.footprints.append(np.array(corners))
