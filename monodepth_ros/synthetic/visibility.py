# SPDX-License-Identifier: Apache-2.0
"""The surface that each sample of a picture sees and its exact depth."""

import cv2
import numpy as np

from monodepth_ros.synthetic.masks import Masks
from monodepth_ros.synthetic.projection import Candidates, Projection
from monodepth_ros.synthetic.sample_grid import SampleGrid

SKY, GROUND, FIRST = 0, 1, 2  # surface numbers; polygons count from FIRST
EDGE = 3e-6  # radians by which polygons are enlarged, against cracks from rounding
SMALL = 1000  # samples, size of the box up to which polygons are traced together
BAND = 12_000  # samples traced at once: they fit the cache, and are too few for BLAS to start its threads
# Hidden polygons are found by the farthest sample of each block of BLOCK x BLOCK samples. The blocks are updated after
# every BLOCKS_AGE polygons.
BLOCK, BLOCKS_AGE = 16, 200


class Visibility:
    """Surface and depth of the samples of one picture.

    surface: (rows, columns) int32: SKY, GROUND, or FIRST plus the index of the polygon. inverse_depth: (rows, columns)
    float32 1 / z [1/m], 0 for sky. far: distance beyond which the ground counts as sky [m].
    """

    def __init__(self, grid: SampleGrid, projection: Projection, masks: Masks, far: float) -> None:
        self._rays, self._masks = grid.rays, masks
        self._trace_ground(projection, far)
        candidates = projection.candidates(grid, masks)
        r0, r1, c0, c1 = candidates.boxes.T
        small = (r1 - r0) * (c1 - c0) <= SMALL
        self._trace_one_by_one(candidates.where(~small))
        self._trace_together(candidates.where(small))

    def _trace_ground(self, projection: Projection, far: float) -> None:
        """Trace the infinite plane z = 0."""
        plane = (-projection.R[2] / projection.position[2]).astype(np.float32)
        x, y, _ = self._rays
        inverse_depth = plane[0] * x + plane[1] * y + plane[2]
        below = inverse_depth > 1 / far
        self.inverse_depth = np.where(below, inverse_depth, np.float32(0))
        self.surface = below.astype(np.int32) * GROUND

    def _trace_one_by_one(self, candidates: Candidates) -> None:
        """Trace large polygons, except those that nearer ones hide."""
        for i, ((r0, r1, c0, c1), nearest) in enumerate(
            zip(candidates.boxes.tolist(), candidates.nearest.tolist(), strict=True)
        ):
            if i % BLOCKS_AGE == 0:
                farthest = _block_minima(self.inverse_depth)
            if farthest[r0 // BLOCK : -(-r1 // BLOCK), c0 // BLOCK : -(-c1 // BLOCK)].min() >= nearest:
                continue
            band = max(1, BAND // (c1 - c0))
            for row in range(r0, r1, band):
                self._trace_window(candidates, i, np.s_[row : min(row + band, r1), c0:c1])

    def _trace_window(self, candidates: Candidates, i: int, window: tuple[slice, slice]) -> None:
        behind = self.inverse_depth[window]
        rays = self._rays[(slice(None), *window)].reshape(3, -1)
        entry = candidates.masks[i]
        forms = candidates.forms[i] if entry >= 0 else candidates.forms[i, :5]
        values = (forms @ rays).reshape(len(forms), *behind.shape)
        inverse_depth = values[0]
        visible = values[1:5].min(axis=0) >= -EDGE
        visible &= inverse_depth > behind
        if not visible.any():
            return
        if entry >= 0:
            alpha = self._masks.arrays[entry]
            size = np.float32(alpha.shape[::-1])[:, None, None]
            place = values[5:] / np.maximum(inverse_depth, 1e-6)  # the plane beyond its horizon is not visible
            place = (place + candidates.offsets[i][:, None, None]) * size - np.float32(0.5)
            opacity = cv2.remap(alpha, place[0], place[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
            visible &= opacity >= self._masks.thresholds[entry]
        np.copyto(behind, inverse_depth, where=visible)
        np.copyto(self.surface[window], candidates.numbers[i] + FIRST, where=visible, casting="same_kind")

    def _trace_together(self, candidates: Candidates) -> None:
        """Trace small polygons: one list holds the samples of all their boxes, and every test shortens it."""
        candidates = candidates.where(~self._hidden(candidates))
        if not len(candidates.numbers):
            return
        inverse_depth, surface = self.inverse_depth.ravel(), self.surface.ravel()
        polygon, at = _samples(candidates.boxes, self.surface.shape[1])
        x, y = self._rays[0].ravel()[at], self._rays[1].ravel()[at]
        forms = np.ascontiguousarray(np.moveaxis(candidates.forms, 0, -1))

        def evaluate(form: int) -> np.ndarray:
            a, b, c = forms[form]
            return a[polygon] * x + b[polygon] * y + c[polygon]

        value = evaluate(0)
        keep = np.flatnonzero(value > inverse_depth[at])
        polygon, at, x, y, value = (array[keep] for array in (polygon, at, x, y, value))
        for edge in range(1, 5):
            keep = np.flatnonzero(evaluate(edge) >= -EDGE)
            polygon, at, x, y, value = (array[keep] for array in (polygon, at, x, y, value))
        u, v = (evaluate(5 + i) / value + candidates.offsets[polygon, i] for i in range(2))
        keep = np.flatnonzero(self._masks.opaque(candidates.masks[polygon], u, v))
        polygon, at, value = (array[keep] for array in (polygon, at, value))
        np.maximum.at(inverse_depth, at, value)
        first = inverse_depth[at] == value
        surface[at[first]] = candidates.numbers[polygon[first]] + FIRST

    def _hidden(self, candidates: Candidates) -> np.ndarray:
        """(N,) bool, whether nearer polygons hide the small polygons."""
        around = cv2.erode(_block_minima(self.inverse_depth), np.ones((3, 3), np.uint8))
        r0, r1, c0, c1 = candidates.boxes.T
        row, column = (r0 + r1) // (2 * BLOCK), (c0 + c1) // (2 * BLOCK)
        within = (r0 // BLOCK >= row - 1) & ((r1 - 1) // BLOCK <= row + 1)
        within &= (c0 // BLOCK >= column - 1) & ((c1 - 1) // BLOCK <= column + 1)
        return within & (around[row, column] >= candidates.nearest)


def _block_minima(values: np.ndarray) -> np.ndarray:
    """The smallest value in each block of BLOCK x BLOCK samples; the blocks at the end may be smaller."""
    whole = values.shape[0] // BLOCK * BLOCK
    rows = [values[:whole].reshape(-1, BLOCK, values.shape[1]).min(axis=1)]
    if whole < values.shape[0]:
        rows.append(values[whole:].min(axis=0, keepdims=True))
    return np.minimum.reduceat(np.concatenate(rows), np.arange(0, values.shape[1], BLOCK), axis=1)


def _samples(boxes: np.ndarray, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """All samples of all boxes: their box (S,), and their flat index (S,) in a picture with `columns` columns."""
    r0, r1, c0, c1 = boxes.astype(np.int32).T
    width = c1 - c0
    count = (r1 - r0) * width
    box = np.repeat(np.arange(len(boxes), dtype=np.int32), count)
    within = np.arange(len(box), dtype=np.int32) - np.repeat(np.cumsum(count, dtype=np.int32) - count, count)
    row = within // width[box]
    return box, (r0[box] + row) * columns + c0[box] + within - row * width[box]
