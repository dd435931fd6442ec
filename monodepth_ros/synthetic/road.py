# SPDX-License-Identifier: Apache-2.0
"""The street's centreline, a smooth plane curve, and street coordinates (s, n).

s: distance along the centreline [m]. n: distance to the left of it [m]. World axes: x and y on the ground, z up. The
road starts at the origin in the direction of x.
"""

import numpy as np

PIECE = 2.0  # metres, length of a piece of constant curvature
REACH = 48.0  # metres to either side within which `to_road` is valid
CELL = 2.0  # metres, cell size of the look-up grid


class Road:
    """A chain of circular arcs of equal length, whose curvature changes slowly as in a clothoid.

    curvature: (pieces,) [1/m], positive to the left.
    """

    def __init__(self, curvature: np.ndarray) -> None:
        self.curvature = np.asarray(curvature, np.float64)
        count = len(self.curvature)
        self.length = count * PIECE
        turn = self.curvature * PIECE
        self.headings = np.concatenate([[0.0], np.cumsum(turn)])
        chord = PIECE * np.sinc(turn / (2 * np.pi))
        middle = self.headings[:-1] + turn / 2
        self.x = np.concatenate([[0.0], np.cumsum(chord * np.cos(middle))])
        self.y = np.concatenate([[0.0], np.cumsum(chord * np.sin(middle))])
        self._build_grid()

    @classmethod
    def generate(cls, rng: np.random.Generator, length: float) -> "Road":
        """A random road of straights and bends of 45 to 160 m radius that never turns far from its first direction."""
        curvature: list[float] = []
        heading = 0.0
        side = rng.choice([-1.0, 1.0])
        while len(curvature) * PIECE < length:
            curvature += [0.0] * int(rng.uniform(10, 45) / PIECE)
            side = -np.sign(heading) if abs(heading) > 0.45 else -side if rng.random() < 0.7 else side
            angle = rng.uniform(0.25, 0.9)
            peak = side / rng.uniform(45, 160)
            count = max(8, int(angle / abs(peak) / PIECE * 1.5))
            bend = peak * np.minimum(1.0, 1.5 * (1 - np.abs(np.linspace(-1, 1, count))))
            curvature += list(bend)
            heading += float(bend.sum() * PIECE)
        return cls(np.array(curvature[: int(np.ceil(length / PIECE))]))

    def curvature_at(self, s: np.ndarray) -> np.ndarray:
        """Curvature at s [1/m]."""
        return self.curvature[self._piece(s)[0]]

    def heading(self, s: np.ndarray) -> np.ndarray:
        """Direction of the road at s, from the x axis [rad]."""
        index, along = self._piece(s)
        return self.headings[index] + self.curvature[index] * along

    def to_world(self, s: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """World (x, y) of (s, n); beyond its ends the road continues with the curvature of the last piece."""
        index, along = self._piece(s)
        turn = self.curvature[index] * along
        chord = along * np.sinc(turn / (2 * np.pi))
        direction = self.headings[index] + turn / 2
        heading = self.headings[index] + turn
        x = self.x[index] + chord * np.cos(direction) - n * np.sin(heading)
        y = self.y[index] + chord * np.sin(direction) + n * np.cos(heading)
        return x, y

    def to_road(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(s, n) of world (x, y), float32."""
        return self.to_road_with_tangent(x, y)[:2]

    def to_road_with_tangent(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
        """(s, n) of world (x, y) and the unit vector along the street, both by the circle of the nearest piece.

        Let a and b be the coordinates along and across the piece's tangent, k its curvature, w = 2 b - k (a^2 + b^2).
        Then n = w / (1 + sqrt(1 - k w)), which is stable for k = 0, and s follows from the arctangent series of the
        angle.
        """
        column = np.clip((x - self._grid_x) * (1 / CELL), 0, self._grid.shape[1] - 1).astype(np.int32)
        row = np.clip((y - self._grid_y) * (1 / CELL), 0, self._grid.shape[0] - 1).astype(np.int32)
        index = self._grid.ravel()[row * self._grid.shape[1] + column]
        x0, y0, cos, sin, k, s0 = np.take(self._table, index, axis=1)
        dx, dy = x - x0, y - y0
        a = dx * cos + dy * sin
        b = dy * cos - dx * sin
        w = 2 * b - k * (a * a + b * b)
        n = w / (1 + np.sqrt(np.maximum(1 - k * w, 1e-6)))
        tangent = a / np.maximum(1 - k * b, 0.05)
        square = np.minimum(np.square(k * tangent), 0.25)  # the series holds near the piece
        s = s0 + tangent * (1 - square * (1 / 3 - square * (1 / 5 - square / 7)))
        return s, n, cos, sin

    def _piece(self, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        s = np.asarray(s, np.float64)
        index = np.clip((s / PIECE).astype(int), 0, len(self.curvature) - 1)
        return index, s - index * PIECE

    def _build_grid(self) -> None:
        """Build the grid of the nearest pieces and the table of the pieces' frames at their middles."""
        middles = (np.arange(len(self.curvature)) + 0.5) * PIECE
        x, y = self.to_world(middles, np.zeros(len(middles)))
        heading = self.heading(middles)
        self._table = np.stack([x, y, np.cos(heading), np.sin(heading), self.curvature, middles])
        self._table = self._table.astype(np.float32)
        self._grid_x, self._grid_y = float(x.min() - REACH), float(y.min() - REACH)
        columns = int((x.max() + REACH - self._grid_x) / CELL) + 1
        rows = int((y.max() + REACH - self._grid_y) / CELL) + 1
        self._grid = np.zeros((rows, columns), np.int32)
        nearest = np.full((rows, columns), np.inf)
        reach = int(REACH * 1.5 / CELL)
        for index in range(len(middles)):
            column, row = int((x[index] - self._grid_x) / CELL), int((y[index] - self._grid_y) / CELL)
            rows_here = slice(max(0, row - reach), row + reach + 1)
            columns_here = slice(max(0, column - reach), column + reach + 1)
            cell_y = (np.arange(rows)[rows_here] + 0.5) * CELL + self._grid_y - y[index]
            cell_x = (np.arange(columns)[columns_here] + 0.5) * CELL + self._grid_x - x[index]
            distance = np.square(cell_x)[None, :] + np.square(cell_y)[:, None]
            closer = distance < nearest[rows_here, columns_here]
            nearest[rows_here, columns_here][closer] = distance[closer]
            self._grid[rows_here, columns_here][closer] = index
