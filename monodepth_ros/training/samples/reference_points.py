# SPDX-License-Identifier: Apache-2.0
"""Reference depth of a frame as points in the networks' input."""

import numpy as np

from monodepth_ros.geometry.camera import CameraModel

POINTS = 16384  # of a frame, at most


def reference_points(
    depth: np.ndarray | None,
    camera: CameraModel,
    view: CameraModel,
    valid: np.ndarray | None,
    depth_range: tuple[float, float],
) -> np.ndarray:
    """Points (3, POINTS) float32: column and row in the networks' input [pixels], and depth along its axis [m].

    depth: (H, W) [m] in the image as published of `camera`, unknown where not finite or not positive; None: no point.
    view: pinhole of the networks' input, in camera's rectified orientation. valid: (H', W') bool of the input, or None.
    depth_range: nearest and farthest depth [m]. Every point keeps its exact place: nothing is interpolated, so holes
    stay holes. Of more than POINTS points a random choice is taken, the same at every call; missing ones are NaN.
    """
    found = np.full((3, POINTS), np.nan, np.float32)
    if depth is None:
        return found
    with np.errstate(invalid="ignore"):
        rows, columns = np.nonzero(np.isfinite(depth) & (depth > 0))
    draw = np.random.default_rng(len(rows))
    if len(rows) > 4 * POINTS:
        chosen = draw.choice(len(rows), 4 * POINTS, replace=False)
        rows, columns = rows[chosen], columns[chosen]
    pixels = np.stack([columns, rows], axis=-1).astype(np.float64)
    points = camera.backproject(pixels, depth[rows, columns].astype(np.float64)) @ camera.R.T
    places = view.project(points)
    with np.errstate(invalid="ignore"):
        kept = (places >= -0.5).all(axis=1) & (places < (view.width - 0.5, view.height - 0.5)).all(axis=1)
        kept &= (points[:, 2] >= depth_range[0]) & (points[:, 2] <= depth_range[1])
    places, points = places[kept], points[kept]
    if valid is not None:
        nearest = np.rint(places).astype(int)
        seen = valid[nearest[:, 1].clip(0, view.height - 1), nearest[:, 0].clip(0, view.width - 1)]
        places, points = places[seen], points[seen]
    if len(places) > POINTS:
        chosen = draw.choice(len(places), POINTS, replace=False)
        places, points = places[chosen], points[chosen]
    found[:2, : len(places)], found[2, : len(places)] = places.T, points[:, 2]
    return found
