# SPDX-License-Identifier: Apache-2.0
"""Detection of the ground as a plane in a frame's depth."""

import math
from dataclasses import dataclass

import numpy as np

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.odometry.scale.factor_window import MAD_TO_SIGMA

ROWS, COLUMNS = 32, 106  # size of the grid of pixels that is evaluated
UPRIGHT = np.array([0.0, -1.0, 0.0])  # up in the optical axes of a level camera
UPRIGHT.setflags(write=False)
# Largest angle between up and a normal of the ground [deg], and the angles of the search for an unknown up.
NORMAL_TOLERANCE = 10.0
SEARCH_TOLERANCES = (35.0, 25.0, 15.0)
# A camera this close to level is assumed to be level [deg]; other tilts are used as found.
LEVEL = 3.0
# Standard deviation of the tilt, from springs and road, about a known or an assumed up [deg].
KNOWN_TILT, SUPPOSED_TILT = 0.5, 0.8
# Largest deviation of the ground's inverse depths from the plane, as a share; narrowing, to exclude kerbs.
PLANE_TOLERANCES = (0.08, 0.08, 0.07, 0.06)
# The network's errors are those of patches: this many pixels count as independent.
INDEPENDENT = 5.0
# Smallest error of a depth, as a share.
LEAST_NOISE = 0.005
HEIGHT_BIN = 0.03  # width of a bin of the logarithm of the height
# A lower plane needs at least this share of the pixels of the largest one.
LOWER_SHARE = 0.5
# Smallest share of the grid's pixels that is a ground.
MIN_SHARE = 0.03


@dataclass(frozen=True)
class GroundPlane:
    """The ground below a camera.

    height: of the camera above it [network units]. up: (3,) its normal in optical axes. share: of the grid's pixels
    that show it. is_ground: (h, w) bool, for the pixels rows (h,) x columns (w,) of the depth image.
    """

    height: float
    up: np.ndarray
    share: float
    is_ground: np.ndarray
    rows: np.ndarray
    columns: np.ndarray


def find_ground(
    inverse_depth: np.ndarray, camera: CameraModel, up: np.ndarray = UPRIGHT, is_up_known: bool = False
) -> GroundPlane | None:
    """The lowest large plane below the camera with its normal up, or None if there is none.

    inverse_depth: (H, W) in 1 / network unit, NaN if unseen. up: (3,) in optical axes; only a start value unless
    is_up_known. After DNet's dense geometric constraint (Xue et al., IROS 2020): normals near the vertical, below the
    camera. The height is that of a plane fitted to these pixels and not their median, which a tilt of half a degree
    changes by 5 %. A plane n . P = h in space has inverse depth (n / h) . (x, y, 1), linear in the normalised pixel
    coordinates.
    """
    rows, columns = _grid(camera, up)
    if len(rows) < 5 or len(columns) < 5:  # there are no normals at the edge
        return None
    inverse = inverse_depth[rows[:, None], columns].astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = 1.0 / inverse
        depth[~np.isfinite(depth)] = np.nan
        rays = np.empty((len(rows), len(columns), 3))
        rays[..., 0] = (columns - camera.cx) / camera.fx
        rays[..., 1] = ((rows - camera.cy) / camera.fy)[:, None]
        rays[..., 2] = 1.0
        points = rays * depth[..., None]
        normals = _normals(points)
    rays, points, inverse = (array[1:-1, 1:-1] for array in (rays, points, inverse))
    rows, columns = rows[1:-1], columns[1:-1]
    least = MIN_SHARE * normals[..., 0].size
    supposed_up = up
    if not is_up_known:
        up = _likely_up(normals, up, least)
        supposed_up = UPRIGHT if up @ UPRIGHT > math.cos(math.radians(LEVEL)) else up
    height = _lowest_height(points, normals, up, least)
    if height is None:
        return None
    down_over_height = -up / height
    tilt = math.radians(KNOWN_TILT if is_up_known else SUPPOSED_TILT)
    sideways = _perpendicular(supposed_up)
    for tolerance in PLANE_TOLERANCES:
        height = 1.0 / float(np.linalg.norm(down_over_height))
        with np.errstate(divide="ignore", invalid="ignore"):
            error = rays @ down_over_height / inverse - 1.0
        aligned = normals @ down_over_height * -height > math.cos(math.radians(NORMAL_TOLERANCE))
        is_ground = aligned & (np.abs(error) < tolerance)
        count = np.count_nonzero(is_ground)
        if count < least:
            return None
        noise = max(MAD_TO_SIGMA * float(np.median(np.abs(error[is_ground]))), LEAST_NOISE)
        weight = math.sqrt(INDEPENDENT / count) / noise
        A = rays[is_ground] * (weight / inverse[is_ground])[:, None]
        prior = sideways * (height / tilt)
        down_over_height = np.linalg.solve(A.T @ A + prior.T @ prior, weight * A.sum(axis=0))
    height = 1.0 / float(np.linalg.norm(down_over_height))
    return GroundPlane(height, -down_over_height * height, count / is_ground.size, is_ground, rows, columns)


def _grid(camera: CameraModel, up: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows below the horizon (at the middle of the image), and columns."""
    y = (np.arange(camera.height) - camera.cy) / camera.fy
    below = np.flatnonzero(-(up[1] * y + up[2]) > 0.02)
    if not len(below):
        return below, below
    rows = np.arange(below[0], below[-1] + 1, max(1, round(len(below) / ROWS)))
    return rows, np.arange(0, camera.width, max(1, round(camera.width / COLUMNS)))


def _normals(points: np.ndarray) -> np.ndarray:
    """Unit normals (h - 2, w - 2, 3) of a grid of points (h, w, 3); those of a ground seen from above point up."""
    right = points[1:-1, 2:] - points[1:-1, :-2]
    down = points[2:, 1:-1] - points[:-2, 1:-1]
    # np.cross takes several times as long.
    normals = np.stack(
        (
            down[..., 1] * right[..., 2] - down[..., 2] * right[..., 1],
            down[..., 2] * right[..., 0] - down[..., 0] * right[..., 2],
            down[..., 0] * right[..., 1] - down[..., 1] * right[..., 0],
        ),
        axis=-1,
    )
    return normals / np.sqrt(np.einsum("ijk,ijk->ij", normals, normals))[..., None]


def _likely_up(normals: np.ndarray, up: np.ndarray, least: float) -> np.ndarray:
    """Mean of the normals around a first guess of up, in narrowing cones."""
    for tolerance in SEARCH_TOLERANCES:
        near = normals[normals @ up > math.cos(math.radians(tolerance))]
        if len(near) < least:
            return up
        mean = near.mean(axis=0)
        up = mean / np.linalg.norm(mean)
    return up


def _lowest_height(points: np.ndarray, normals: np.ndarray, up: np.ndarray, least: float) -> float | None:
    """The camera's height above the lowest large level, which excludes car roofs and tables; None if there is none."""
    heights = -(points @ up)[normals @ up > math.cos(math.radians(NORMAL_TOLERANCE))]
    heights = heights[heights > 0]
    if len(heights) < least:
        return None
    bins = np.floor(np.log(heights) / HEIGHT_BIN).astype(int)
    first = bins.min()
    # Sums of three bins: a level may lie on the border of two.
    counts = np.convolve(np.bincount(np.minimum(bins - first, 400), minlength=3), np.ones(3), mode="same")
    level = np.flatnonzero(counts >= LOWER_SHARE * counts.max())[-1]
    peak = level
    while peak > 0 and counts[peak - 1] > counts[peak]:
        peak -= 1
    return float(np.exp((first + peak + 0.5) * HEIGHT_BIN))


def _perpendicular(up: np.ndarray) -> np.ndarray:
    """Two unit vectors (2, 3) at right angles to up and to each other."""
    first = np.cross(up, (0.0, 0.0, 1.0) if abs(up[2]) < 0.9 else (1.0, 0.0, 0.0))
    first /= np.linalg.norm(first)
    return np.stack((first, np.cross(up, first)))
