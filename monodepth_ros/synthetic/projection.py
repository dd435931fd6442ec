# SPDX-License-Identifier: Apache-2.0
"""Polygons in a camera's frame: their depth, edges and texture coordinates as linear forms of a sample's ray."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.synthetic.masks import Masks
from monodepth_ros.synthetic.sample_grid import SampleGrid

NEAR = 0.05  # metres
SMALLEST = 0.5  # samples, size below which a polygon is left out
MASK_FOOTPRINT = 0.7  # pixels, size of the area over which masks are averaged


@dataclass(frozen=True)
class Candidates:
    """Polygons that may be visible, near ones first.

    numbers: (N,) indices of the polygons. boxes: (N, 4) first and last + 1 row and column of their samples. nearest:
    (N,) their largest 1 / z [1/m]. forms: (N, 7, 3) float32 whose products with a ray r are the inverse depth, four
    edge functions (not negative inside), and u and v of the mask over z. offsets: (N, 2) to be added to u and v. masks:
    (N,) entries of `Masks`, -1 for opaque polygons.
    """

    numbers: np.ndarray
    boxes: np.ndarray
    nearest: np.ndarray
    forms: np.ndarray
    offsets: np.ndarray
    masks: np.ndarray

    def where(self, chosen: np.ndarray) -> "Candidates":
        """The candidates for which `chosen` (N,) is True, in the same order."""
        return Candidates(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


class Projection:
    """Polygons in a camera's frame. planes: (all polygons, 3) float32 forms of their inverse depth.

    A plane with normal n at distance d has inverse depth (n . r) / d along the ray r = (x/z, y/z, 1), and a
    polygon covers the ray where (P_i x P_i+1) . r has the same sign for all its edges.
    """

    def __init__(self, polygons: np.ndarray, T_world_camera: np.ndarray) -> None:
        self.polygons = polygons
        self.R, self.position = T_world_camera[:3, :3], T_world_camera[:3, 3]
        self._corners = (polygons["corners"] - self.position) @ self.R
        normals = polygons["normal"] @ self.R
        self._distances = np.einsum("ij,ij->i", normals, self._corners[:, 0])
        distances = np.where(np.abs(self._distances) < 1e-9, 1e-9, self._distances)
        self.planes = (normals / distances[:, None]).astype(np.float32)

    def candidates(self, grid: SampleGrid, masks: Masks) -> Candidates:
        """The polygons in the picture whose front is visible."""
        boxes, nearest, seen = _boxes(self._corners, grid)
        two_sided = self.polygons["two_sided"] & (np.abs(self._distances) > 1e-6)
        numbers = np.flatnonzero(seen & ((self._distances < -1e-6) | two_sided))
        numbers = numbers[np.argsort(-nearest[numbers])]
        nearest = nearest[numbers]
        u0, U, v0, V = self.texture_forms(numbers)
        edges = _edges(self._corners[numbers])
        forms = np.concatenate([self.planes[numbers, None], edges, U[:, None], V[:, None]], 1, dtype=np.float32)
        texels = MASK_FOOTPRINT / grid.camera.fx * np.linalg.norm(U, axis=1) / nearest
        entries = masks.entries(self.polygons["texture"][numbers], texels)
        offsets = np.stack([u0, v0], 1).astype(np.float32)
        return Candidates(numbers, boxes[numbers], nearest, forms, offsets, entries)

    def texture_forms(self, numbers: np.ndarray | slice) -> tuple[np.ndarray, ...]:
        """(u0, U, v0, V) of polygons, for texture coordinates u = u0 + z (U . r), v = v0 + z (V . r) in copies."""
        polygons = self.polygons[numbers]
        offset = self.position - polygons["origin"]
        u0 = np.einsum("ij,ij->i", offset, polygons["across"])
        v0 = np.einsum("ij,ij->i", offset, polygons["down"])
        # Whole copies make no difference and would cost precision.
        return u0 - np.floor(u0), polygons["across"] @ self.R, v0 - np.floor(v0), polygons["down"] @ self.R


def _boxes(corners: np.ndarray, grid: SampleGrid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, 4) boxes and (N,) largest 1 / z as in `Candidates`, and (N,) bool whether the polygon is in the picture."""
    following = np.roll(corners, -1, axis=1)
    z, z_next = corners[..., 2], following[..., 2]
    crossing = (z < NEAR) != (z_next < NEAR)
    share = np.where(crossing, (NEAR - z) / np.where(crossing, z_next - z, 1.0), 0.0)
    cuts = corners + share[..., None] * (following - corners)
    points = np.concatenate([corners, cuts], 1)
    used = np.concatenate([z >= NEAR, crossing], 1)
    depth = np.where(used, np.maximum(points[..., 2], NEAR), 1.0)
    boxes = np.zeros((len(corners), 4), int)
    seen = used.any(axis=1)
    for axis, (low, high), column in ((1, grid.row_bounds, 0), (0, grid.column_bounds, 2)):
        ratio = points[..., axis] / depth
        first = np.where(used, ratio, np.inf).min(axis=1)
        last = np.where(used, ratio, -np.inf).max(axis=1)
        boxes[:, column] = np.searchsorted(high, first - 1e-6, "left")
        boxes[:, column + 1] = np.searchsorted(low, last + 1e-6, "right")
        seen &= last - first > SMALLEST * (high[-1] - low[0]) / len(high)
        seen &= boxes[:, column + 1] > boxes[:, column]
    return boxes, np.where(used, 1 / depth, 0).max(axis=1), seen


def _edges(corners: np.ndarray) -> np.ndarray:
    """(N, 4, 3) unit vectors whose product with a ray is not negative on the inner side of each edge."""
    following = np.roll(corners, -1, axis=1)
    (x, y, z), (x1, y1, z1) = np.moveaxis(corners, -1, 0), np.moveaxis(following, -1, 0)
    edges = np.stack([y * z1 - z * y1, z * x1 - x * z1, x * y1 - y * x1], -1)
    edges /= np.maximum(np.linalg.norm(edges, axis=2, keepdims=True), 1e-12)
    inwards = np.einsum("ijk,ik->ij", edges, corners.mean(axis=1))
    return edges * np.where(inwards < 0, -1.0, 1.0)[..., None]
