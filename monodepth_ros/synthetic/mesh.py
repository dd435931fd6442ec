# SPDX-License-Identifier: Apache-2.0
"""Textured polygons, the only geometric primitive: convex and flat, with three or four corners.

A mesh is a structured array of POLYGON. Corners are counter-clockwise seen from the front: lower left, lower right,
upper right, upper left. A triangle repeats its last corner.
"""

import numpy as np

POLYGON = np.dtype(
    [
        ("corners", np.float64, (4, 3)),  # metres
        ("normal", np.float64, 3),  # unit vector, away from the visible side
        ("origin", np.float64, 3),  # place of the texture's lower left corner
        ("across", np.float64, 3),  # texture coordinate u = (X - origin) . across
        ("down", np.float64, 3),  # v = (X - origin) . down
        ("texture", np.int32),
        ("tint", np.float32, 3),  # multiplies the texture's colour
        ("ambient", np.float32),  # share of the sky's light that reaches the polygon
        ("sun", np.float32),  # share of the sun's light: 0 in shadow, else the cosine to its direction
        ("two_sided", np.bool_),
        ("on_road", np.bool_),  # coloured by `Ground` instead of by `texture`
    ]
)
WHITE = (1.0, 1.0, 1.0)


def quad(
    corners: np.ndarray,
    texture: int,
    size: tuple[float, float] | None = None,
    tint: tuple[float, float, float] = WHITE,
    two_sided: bool = False,
    on_road: bool = False,
) -> np.ndarray:
    """(1,) POLYGON from (3 or 4, 3) corners.

    size: width and height of one copy of the texture [m], which starts at the first corner; None stretches the texture
    over the polygon.
    """
    corners = np.asarray(corners, np.float64)
    polygon = np.zeros(1, POLYGON)
    right = corners[1] - corners[0]
    up = corners[-1] - corners[0]
    normal = _cross(right, up)
    normal /= np.sqrt(normal @ normal)
    width = np.sqrt(right @ right)
    e_right = right / width
    e_up = _cross(normal, e_right)
    w, h = size or (width, float(up @ e_up))
    polygon["corners"] = corners if len(corners) == 4 else np.vstack([corners, corners[-1:]])
    polygon["normal"], polygon["origin"] = normal, corners[0]
    polygon["across"], polygon["down"] = e_right / w, -e_up / h
    polygon["texture"], polygon["tint"] = texture, tint
    polygon["two_sided"], polygon["on_road"] = two_sided, on_road
    return polygon


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross product of two vectors (3,), faster than np.cross."""
    (a0, a1, a2), (b0, b1, b2) = a.tolist(), b.tolist()
    return np.array((a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0))


def join(*meshes: np.ndarray) -> np.ndarray:
    """One mesh from many."""
    return np.concatenate([np.zeros(0, POLYGON), *meshes])


def placed(mesh: np.ndarray, x: float, y: float, heading: float = 0.0, z: float = 0.0) -> np.ndarray:
    """A copy of the mesh, rotated about z by `heading` [rad] and moved to (x, y, z) [m]."""
    c, s = np.cos(heading), np.sin(heading)
    R = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
    result = mesh.copy()
    for name in ("corners", "origin"):
        result[name] = mesh[name] @ R.T + (x, y, z)
    for name in ("normal", "across", "down"):
        result[name] = mesh[name] @ R.T
    return result


def block(
    low: tuple[float, float, float],
    high: tuple[float, float, float],
    sides: int,
    top: int | None = None,
    *,
    size: tuple[float, float] | None = None,
    tint: tuple[float, float, float] = WHITE,
    bottom: int | None = None,
    top_size: tuple[float, float] | None = None,
) -> np.ndarray:
    """A box between two opposite corners.

    sides, top, bottom: texture numbers; the box is open where top or bottom is None. size, top_size: width and height
    of one copy of the texture [m] on the sides, and on top and bottom.
    """
    (x0, y0, z0), (x1, y1, z1) = low, high
    ring = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    meshes = []
    for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        meshes.append(quad([(*a, z0), (*b, z0), (*b, z1), (*a, z1)], sides, size, tint))
    if top is not None:
        meshes.append(quad([(*p, z1) for p in ring], top, top_size, tint))
    if bottom is not None:
        meshes.append(quad([(*p, z0) for p in ring[::-1]], bottom, top_size, tint))
    return join(*meshes)


def post(
    radius: float,
    height: float,
    texture: int,
    sides: int = 6,
    tint: tuple[float, float, float] = WHITE,
    *,
    taper: float = 1.0,
) -> np.ndarray:
    """An upright prism at the origin, for poles and trunks. taper: the upper radius over the lower one."""
    angle = np.arange(sides + 1) * 2 * np.pi / sides
    ring = np.stack([np.cos(angle), np.sin(angle)], 1) * radius
    width = 2 * radius * np.sin(np.pi / sides)
    meshes = []
    for a, b in zip(ring, ring[1:], strict=False):
        corners = [(*a, 0), (*b, 0), (*(b * taper), height), (*(a * taper), height)]
        meshes.append(quad(corners, texture, (width * sides / 2, height), tint))
    return join(*meshes)
