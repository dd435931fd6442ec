# SPDX-License-Identifier: Apache-2.0
"""Houses behind front gardens, and parks."""

import numpy as np

from monodepth_ros.synthetic import buildings, furniture, plants
from monodepth_ros.synthetic.facades import BAY
from monodepth_ros.synthetic.raised_ground import SLICE
from monodepth_ros.synthetic.stretch import Stretch

BIN_TINTS = ((0.2, 0.3, 0.22), (0.25, 0.27, 0.3), (0.32, 0.25, 0.2))


def build_gardens(stretch: Stretch) -> None:
    """Detached houses behind front gardens."""
    rng, edge, end, side = stretch.rng, stretch.section.pavement, stretch.end, stretch.side
    placement = stretch.placement
    s = stretch.start + rng.uniform(1, 4)
    while s < end - 9:
        bays, depth = int(rng.choice([2, 3, 3])), rng.uniform(8, 10)
        front = edge + rng.uniform(3.5, 6.5)
        style = stretch.pick([t for t in stretch.stock.styles if not t.shop])
        house = buildings.cottage(rng, style, bays, depth)
        plot_end = min(placement.add_front(house, s, front, bays * BAY, side) + rng.uniform(4, 7), end)
        _boundary(stretch, s - 1, plot_end - 1, edge + 0.35)
        for _ in range(int(rng.integers(0, 3))):
            _garden_plant(stretch, rng.uniform(s, plot_end), rng.uniform(edge + 1.2, front - 0.8))
        for _ in range(int(rng.integers(1, 4))):
            tree = stretch.tree(rng.uniform(6, 12))
            placement.add(placement.large, tree, rng.uniform(s, plot_end), side * (front + depth + rng.uniform(3, 10)))
        if rng.random() < 0.3:
            bin_ = furniture.wheelie_bin(stretch.stock.furniture, BIN_TINTS[rng.integers(3)])
            placement.add(placement.small, bin_, plot_end - 1.5, side * (edge - 0.4), turn=rng.uniform(-0.4, 0.4))
        s = plot_end


def build_park(stretch: Stretch) -> None:
    """A railing or hedge with lawns, bushes and trees behind it."""
    rng, edge, start, end, side = stretch.rng, stretch.section.pavement, stretch.start, stretch.end, stretch.side
    placement = stretch.placement
    _boundary(stretch, start, end, edge + 0.3)
    for row, (low, high) in enumerate(((2, 5), (7, 14), (15, 25))):
        s = start + rng.uniform(0, 5)
        while s < end:
            tree = stretch.tree(rng.uniform(6, 12))
            placement.add(placement.large, tree, s, side * (edge + rng.uniform(low, high)))
            s += rng.uniform(5, 11) if row else rng.uniform(7, 13)
    for _ in range(int((end - start) / 9)):
        bush = plants.bush(rng, stretch.pick(stretch.stock.species), rng.uniform(1.0, 2.2))
        placement.add(placement.large, bush, rng.uniform(start, end), side * (edge + rng.uniform(1, 9)))


def _boundary(stretch: Stretch, start: float, end: float, n: float) -> None:
    """Hedge, fence, railing or nothing along the pavement, with a gap for the gate."""
    rng, items = stretch.rng, stretch.stock.furniture
    kind = rng.choice(["hedge", "fence", "railing", "none"], p=(0.45, 0.25, 0.2, 0.1))
    gate = rng.uniform(start + 2, max(start + 2.1, end - 4))
    height, tone = rng.uniform(0.7, 1.7), rng.uniform(0.7, 1.0)
    for a, b in ((start, gate), (gate + 3, end)):
        for s in np.arange(a, b - 0.5, SLICE):
            length = min(SLICE, b - s)
            if kind == "hedge":
                mesh = plants.hedge(length, 0.7, height, stretch.stock.hedge, tone)
            elif kind == "fence":
                mesh = furniture.board_fence(items, length, min(height, 1.2), tone)
            elif kind == "railing":
                mesh = furniture.railing(items, length)
            else:
                continue
            stretch.placement.add_front(mesh, s, n, length, stretch.side)


def _garden_plant(stretch: Stretch, s: float, n: float) -> None:
    rng = stretch.rng
    if rng.random() < 0.6:
        mesh = plants.bush(rng, stretch.pick(stretch.stock.species), rng.uniform(0.9, 1.8))
    else:
        mesh = stretch.tree(rng.uniform(3.5, 6))
    stretch.placement.add(stretch.placement.large, mesh, s, stretch.side * n)
