"""Which surface every sample of a picture sees, and how far away it is: exact, without any approximation."""

import cv2
import numpy as np

from monodepth_ros.geometry.camera import CameraModel

NEAR = 0.05  # metres
SMALLEST = 0.3  # samples across below which a polygon is left out
BAND = 12_000  # samples worked on at once: they stay in the cache, and BLAS does not wake its threads
BLOCK, BLOCKS_AGE = (
    16,
    200,
)  # hidden polygons are found by the farthest sample of each block, taken now and then
EDGE = 3e-6  # radians by which polygons are enlarged, against cracks from rounding
SKY, GROUND, FIRST = 0, 1, 2  # surface numbers; polygons count from FIRST
Mask = list[
    tuple[np.ndarray, float]
]  # an alpha channel's reductions and their thresholds, see `atlas.reductions`


class SampleGrid:
    """The rays along which a camera's picture is sampled.

    Every pixel's centre and its four corners, to be weighted 1/2 and 4 x 1/8 (Quincunx antialiasing): two
    samples per pixel, as neighbours share corners. They lie in 2 H + 1 rows of W + 1: corners in the even
    rows, centres in the odd ones, whose last column is spare. rays: (3, 2 H + 1, W + 1) float32, (x/z, y/z,
    1) in the camera's frame. blind: samples that the camera model gives no ray.
    """

    def __init__(self, camera: CameraModel) -> None:
        self.camera = camera
        pixels = np.stack(
            np.meshgrid(np.arange(camera.width + 1.0), np.arange(2 * camera.height + 1) / 2 - 0.5), -1
        )
        pixels[::2, :, 0] -= 0.5
        rays = np.moveaxis(camera.backproject(pixels, np.ones(pixels.shape[:2])), -1, 0)
        self.blind = ~np.isfinite(rays).all(axis=0)
        rays[:, self.blind] = np.array([[0], [0], [1]])
        self.rays = np.ascontiguousarray(rays, np.float32)
        self.column_bounds = _sorted_bounds(rays[0].min(axis=0), rays[0].max(axis=0))
        self.row_bounds = _sorted_bounds(rays[1].min(axis=1), rays[1].max(axis=1))


def _sorted_bounds(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row's (column's) range of ray coordinates, as two sorted arrays for binary search."""
    return np.minimum.accumulate(low[::-1])[::-1], np.maximum.accumulate(high)


def _block_minima(values: np.ndarray) -> np.ndarray:
    """The smallest value in every BLOCK x BLOCK part of a picture, the last ones being smaller."""
    whole = values.shape[0] // BLOCK * BLOCK
    rows = [values[:whole].reshape(-1, BLOCK, values.shape[1]).min(axis=1)]
    if whole < values.shape[0]:
        rows.append(values[whole:].min(axis=0, keepdims=True))
    return np.minimum.reduceat(np.concatenate(rows), np.arange(0, values.shape[1], BLOCK), axis=1)


class Visibility:
    """What the samples of one picture see.

    A sample's ray is r = (x/z, y/z, 1). A plane with normal n at distance d has inverse depth (n . r) / d
    along it, and a polygon covers it where (P_i x P_i+1) . r has the same sign for all its edges. All that
    is linear in r.

    surface: (rows, columns) int32, SKY, GROUND or FIRST + the polygon's index. inverse_depth: 1 / z in 1/m,
    0 for sky. planes: (polygons, 3) float32, n / d in the camera's frame; ground_plane: (3,).
    """

    def __init__(
        self,
        grid: SampleGrid,
        polygons: np.ndarray,
        masks: dict[int, Mask],
        T_world_camera: np.ndarray,
        far: float,
    ) -> None:
        self.grid, self.polygons = grid, polygons
        self.R, self.position = T_world_camera[:3, :3], T_world_camera[:3, 3]
        rays = grid.rays
        corners = (polygons["corners"] - self.position) @ self.R
        normals = polygons["normal"] @ self.R
        distances = np.einsum("ij,ij->i", normals, corners[:, 0])
        planes = normals / np.where(np.abs(distances) < 1e-9, 1e-9, distances)[:, None]
        boxes, nearest, seen = self._bounding_boxes(corners)
        textures = polygons["texture"].tolist()
        seen &= (distances < -1e-6) | (polygons["two_sided"] & (np.abs(distances) > 1e-6))
        edges = np.cross(corners, np.roll(corners, -1, axis=1))
        length = np.linalg.norm(edges, axis=2, keepdims=True)
        edges /= np.maximum(length, 1e-12)
        edges *= np.where(np.einsum("ijk,ik->ij", edges, corners.mean(axis=1)) < 0, -1.0, 1.0)[..., None]
        forms = np.concatenate([planes[:, None], edges], 1).astype(np.float32)
        self.planes = forms[:, 0]
        self._trace_ground(far)
        order = np.flatnonzero(seen)
        order = order[np.argsort(-nearest[order])]
        for count, (k, (r0, r1, c0, c1), limit) in enumerate(
            zip(order.tolist(), boxes[order].tolist(), nearest[order].tolist(), strict=True)
        ):
            if count % BLOCKS_AGE == 0:
                farthest = _block_minima(self.inverse_depth)
            if farthest[r0 // BLOCK : -(-r1 // BLOCK), c0 // BLOCK : -(-c1 // BLOCK)].min() >= limit:
                continue
            band = max(1, BAND // (c1 - c0))
            for row in range(r0, r1, band):
                window = np.s_[row : min(row + band, r1), c0:c1]
                behind = self.inverse_depth[window]
                here = rays[(slice(None), *window)]
                values = (forms[k] @ here.reshape(3, -1)).reshape(5, *behind.shape)
                inverse_depth = values[0]
                visible = values[1:].min(axis=0) >= -EDGE
                visible &= inverse_depth > behind
                if not visible.any():
                    continue
                mask = masks.get(textures[k])
                if mask is not None:
                    visible &= self._cut_out(k, mask, here, inverse_depth)
                np.copyto(behind, inverse_depth, where=visible)
                np.copyto(self.surface[window], k + FIRST, where=visible)

    def _trace_ground(self, far: float) -> None:
        """The ground is the plane z = 0 without end."""
        down = -(self.R.T @ np.array([0, 0, 1.0])) / self.position[2]
        plane = down.astype(np.float32)
        self.ground_plane = plane
        x, y, _ = self.grid.rays
        inverse_depth = plane[0] * x + plane[1] * y + plane[2]
        below = inverse_depth > 1 / far
        self.inverse_depth = np.where(below, inverse_depth, np.float32(0))
        self.surface = below.astype(np.int32) * GROUND

    def _bounding_boxes(self, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(N, 4) row and column ranges that hold each polygon's samples, (N,) its largest 1 / z, whether it is seen."""
        following = np.roll(corners, -1, axis=1)
        z, z_next = corners[..., 2], following[..., 2]
        crossing = (z < NEAR) != (z_next < NEAR)
        share = np.where(crossing, (NEAR - z) / np.where(crossing, z_next - z, 1.0), 0.0)
        cuts = corners + share[..., None] * (following - corners)
        points = np.concatenate([corners, cuts], 1)
        used = np.concatenate([z >= NEAR, crossing], 1)
        depth = np.where(used, np.maximum(points[..., 2], NEAR), 1.0)
        boxes = np.zeros((len(corners), 4), int)
        large = np.ones(len(corners), bool)
        for axis, (low, high), column in (
            (1, self.grid.row_bounds, 0),
            (0, self.grid.column_bounds, 2),
        ):
            ratio = points[..., axis] / depth
            first = np.where(used, ratio, np.inf).min(axis=1)
            last = np.where(used, ratio, -np.inf).max(axis=1)
            boxes[:, column] = np.searchsorted(high, first - 1e-6, "left")
            boxes[:, column + 1] = np.searchsorted(low, last + 1e-6, "right")
            spacing = (high[-1] - low[0]) / len(high)
            large &= (last - first) > SMALLEST * spacing
        seen = used.any(axis=1) & large & (boxes[:, 1] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 2])
        nearest = np.where(used, 1 / depth, 0).max(axis=1)
        return boxes, nearest, seen

    def texture_forms(self, k: np.ndarray | int) -> tuple[np.ndarray, ...]:
        """u = u0 + z (U . r) and v = v0 + z (V . r) of polygons k, in copies of the texture."""
        polygon = self.polygons[k]
        offset = self.position - polygon["origin"]
        u0 = np.einsum("...i,...i->...", offset, polygon["across"])
        v0 = np.einsum("...i,...i->...", offset, polygon["down"])
        # Whole copies make no difference but would cost digits.
        return u0 - np.floor(u0), polygon["across"] @ self.R, v0 - np.floor(v0), polygon["down"] @ self.R

    def _cut_out(self, k: int, mask, rays: np.ndarray, inverse_depth: np.ndarray) -> np.ndarray:
        """Where the mask of polygon k is opaque."""
        u0, U, v0, V = self.texture_forms(k)
        z = 1 / np.maximum(
            inverse_depth, 1e-6
        )  # the window's rays beyond the plane's horizon are not visible
        u = (u0 + z * np.tensordot(U.astype(np.float32), rays, 1)).astype(np.float32)
        v = (v0 + z * np.tensordot(V.astype(np.float32), rays, 1)).astype(np.float32)
        u -= np.floor(u)
        v -= np.floor(v)
        nearest = float(
            np.abs(self.planes[k]).max()
        )  # roughly 1 / distance for surfaces that face the camera
        pixel = 0.7 / self.grid.camera.fx / max(nearest, 1e-6)
        texels = pixel * np.linalg.norm(U) * mask[0][0].shape[1]
        level = min(len(mask) - 1, max(0, int(np.log2(max(texels, 1.0)))))
        alpha, threshold = mask[level]
        height, width = alpha.shape
        sampled = cv2.remap(
            alpha, u * width - 0.5, v * height - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return sampled >= threshold
