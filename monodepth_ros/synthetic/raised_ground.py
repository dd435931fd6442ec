# SPDX-License-Identifier: Apache-2.0
"""The ground beside the carriageway: pavements and yards a kerb's height above it."""

import numpy as np

from monodepth_ros.synthetic.mesh import quad
from monodepth_ros.synthetic.placement import KERB_HEIGHT
from monodepth_ros.synthetic.road import Road

REACH = 24.0  # metres from the centreline to which the ground is raised
SLICE = 4.0  # metres; pavements and kerbs follow a bend in straight slices of this length
KERB_SIZE = (2.56, 2.56)  # metres, the kerb's texture


def raised_ground(road: Road, kerb: float, texture: int, start: float, end: float, side: int) -> list[np.ndarray]:
    """Meshes of pavement, yards and the kerb's face from s = start to end.

    kerb: distance of the kerb from the centreline [m]. texture: number of the kerb's texture. side: 1 left, -1 right.
    """
    meshes = []
    steps = max(1, int(np.ceil((end - start) / SLICE)))
    s = np.linspace(start, end, steps + 1)
    inner = np.stack(road.to_world(s, np.full(len(s), side * kerb)), -1)
    outer = np.stack(road.to_world(s, np.full(len(s), side * REACH)), -1)
    for k in range(steps):
        near, far = (inner[k], inner[k + 1]), (outer[k + 1], outer[k])
        ring = [*near, *far] if side > 0 else [near[1], near[0], far[1], far[0]]
        ring = ring[::-1] if side > 0 else ring
        top = quad([(*p, KERB_HEIGHT) for p in ring], texture, on_road=True)
        if top["normal"][0, 2] < 0:
            top = quad([(*p, KERB_HEIGHT) for p in ring[::-1]], texture, on_road=True)
        meshes.append(top)
        a, b = (near[1], near[0]) if side > 0 else near
        meshes.append(quad([(*a, 0), (*b, 0), (*b, KERB_HEIGHT), (*a, KERB_HEIGHT)], texture, KERB_SIZE))
    return meshes


def kerb_across(road: Road, kerb: float, texture: int, s: float, side: int) -> list[np.ndarray]:
    """Meshes of the kerb along a side street at s, visible from both sides."""
    a, b = (np.array(road.to_world(s, n * side)) for n in (kerb, REACH))
    corners = [(*a, 0), (*b, 0), (*b, KERB_HEIGHT), (*a, KERB_HEIGHT)]
    return [
        quad(corners, texture, KERB_SIZE),
        quad([corners[1], corners[0], corners[3], corners[2]], texture, KERB_SIZE),
    ]
