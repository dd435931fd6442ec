# SPDX-License-Identifier: Apache-2.0
"""Both sides of the kerb: furniture on the pavement and parked cars on the carriageway."""

import numpy as np

from monodepth_ros.synthetic import furniture, plants, vehicles
from monodepth_ros.synthetic.stretch import Stretch

BIN_TINTS = ((0.18, 0.3, 0.22), (0.24, 0.25, 0.27), (0.42, 0.36, 0.12))


def furnish_pavement(stretch: Stretch, kind: str) -> None:
    """Lamps, trees, signs, bollards, bins and a bus shelter. kind: what stands behind: "city", "green" or "park"."""
    rng, items, kerb = stretch.rng, stretch.stock.furniture, stretch.section.kerb
    start, end, side, placement = stretch.start, stretch.end, stretch.side, stretch.placement
    near, facing = side * (kerb + 0.55), 1 if side > 0 else -1
    lamp_height = rng.uniform(5.5, 8)
    for s in np.arange(start + rng.uniform(4, 16), end - 2, rng.uniform(22, 32)):
        placement.add(placement.small, furniture.lamp_post(items, lamp_height, 1.6, 0.42), s, near, facing=facing)
    if (kind == "city" and rng.random() < 0.6) or (kind == "park" and rng.random() < 0.3):
        _street_trees(stretch)
    for s in np.arange(start + rng.uniform(2, 14), end, rng.uniform(16, 30)):
        sign = int(rng.choice([items.round_sign, items.triangle_sign, items.blue_sign]))
        post = furniture.sign_post(items, sign, rng.uniform(0.55, 0.7))
        placement.add(placement.small, post, s, near, facing=facing)
    if kind != "green" and rng.random() < 0.45:
        for s in np.arange(start + 2, end - 2, rng.uniform(1.8, 3.0)):
            placement.add(placement.small, furniture.bollard(items, 0.22), s, side * (kerb + 0.4))
    for _ in range(int(rng.integers(0, 4))):
        bin_ = furniture.litter_bin(items, BIN_TINTS[rng.integers(3)])
        placement.add(placement.small, bin_, rng.uniform(start, end), side * (kerb + 0.7))
    if rng.random() < 0.3 and end - start > 30:
        shelter = furniture.bus_shelter(items)
        placement.add(placement.small, shelter, rng.uniform(start + 8, end - 8), side * (kerb + 1.5), facing=-side)


def _street_trees(stretch: Stretch) -> None:
    """A row of trees of one species on the pavement."""
    rng, placement = stretch.rng, stretch.placement
    species, height = stretch.pick(stretch.stock.species), rng.uniform(6, 8.5)
    for s in np.arange(stretch.start + rng.uniform(3, 9), stretch.end - 3, rng.uniform(9, 15)):
        if rng.random() < 0.85:
            tree = plants.tree(rng, species, height * rng.uniform(0.85, 1.15))
            n = stretch.side * (stretch.section.kerb + 0.9)
            placement.add(placement.large, tree, s + rng.uniform(-0.6, 0.6), n)


def park_cars(stretch: Stretch) -> None:
    """A row of parked cars with gaps, and the shadows below them."""
    rng, side, placement = stretch.rng, stretch.side, stretch.placement
    facing = 1 if side > 0 else -1
    density = rng.choice([0.25, 0.6, 0.85])
    middle = (stretch.section.lane + stretch.section.kerb) / 2
    s = stretch.start + rng.uniform(2, 7)
    while s < stretch.end - 4:
        textures = stretch.pick(stretch.stock.cars)
        length = textures.shape.length
        if rng.random() < density:
            n, turn = side * (middle + rng.normal(0, 0.06)), rng.normal(0, 0.012)
            at = s + length / 2
            placement.add(placement.small, vehicles.car(textures), at, n, facing=facing, turn=turn, z=0)
            placement.add_footprint(at, n, length, textures.shape.width)
        s += length + rng.uniform(0.8, 2.2)
