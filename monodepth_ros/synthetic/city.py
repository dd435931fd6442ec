# SPDX-License-Identifier: Apache-2.0
"""Closed rows of houses at the pavement, and the houses of the side streets."""

from monodepth_ros.synthetic import buildings, furniture, plants
from monodepth_ros.synthetic.facades import BAY
from monodepth_ros.synthetic.stretch import Stretch


def build_city(stretch: Stretch) -> None:
    """A closed row of houses at the edge of the pavement, with some yards in between."""
    rng, end, side = stretch.rng, stretch.end, stretch.side
    front = stretch.section.pavement
    s, first = stretch.start, True
    style = None
    while s < end - BAY:
        room = (end - s) / BAY
        bays = int(min(rng.integers(2, 6), max(1, int(room))))
        if room - bays < 1.5:
            bays = max(1, int(room))
        if not first and rng.random() < 0.1 and room > 4:
            s += _yard(stretch, s, front)
            continue
        style = stretch.pick([t for t in stretch.stock.styles if t is not style])
        last = s + bays * BAY > end - BAY
        corners = (first, last) if side > 0 else (last, first)
        storeys = int(rng.choice([1, 2, 2, 3, 3, 4]))
        depth = BAY * (4 if True in corners else int(rng.integers(3, 5)))
        mesh = buildings.row_house(rng, style, bays, storeys, depth, corners)
        if rng.random() < 0.5:
            _second_row(stretch, s, front + depth)
        s = stretch.placement.add_front(mesh, s, front, bays * BAY, side)
        first = False


def _yard(stretch: Stretch, s: float, front: float) -> float:
    """A fenced yard between two houses, with a tree behind the fence; returns its length."""
    rng, side, placement = stretch.rng, stretch.side, stretch.placement
    length = rng.uniform(3.5, 6.0)
    fence = furniture.board_fence(stretch.stock.furniture, length, rng.uniform(1.6, 2.2), rng.uniform(0.6, 1.0))
    placement.add_front(fence, s, front + 0.1, length, side)
    tree = plants.tree(rng, stretch.pick(stretch.stock.species), rng.uniform(7, 10))
    placement.add(placement.large, tree, s + length / 2, side * (front + 4))
    return length


def _second_row(stretch: Stretch, s: float, n: float) -> None:
    """A larger building behind the row."""
    rng = stretch.rng
    width, height = rng.uniform(12, 22), rng.uniform(9, 20)
    house = buildings.tower(stretch.pick(stretch.stock.styles), width, 10, height, rng.uniform(0.85, 1.0))
    stretch.placement.add_front(house, s, min(n + rng.uniform(4, 14), 34), width, stretch.side)


def side_street_row(stretch: Stretch, s: float, before: bool) -> None:
    """Houses of a side street behind the corner house at s. before: the corner lies before the side street."""
    rng = stretch.rng
    house = buildings.tower(stretch.pick(stretch.stock.styles), 14, 16, rng.uniform(8, 14), rng.uniform(0.9, 1.0))
    s0 = s - 8 if before else s - 6
    stretch.placement.add_front(house, s0, stretch.section.pavement + 13, 14, stretch.side)


def closing_house(stretch: Stretch, s: float) -> None:
    """A house and trees that close the view into the side street at s."""
    rng, side, placement = stretch.rng, stretch.side, stretch.placement
    house = buildings.tower(stretch.pick(stretch.stock.styles), 30, 10, rng.uniform(8, 13), rng.uniform(0.9, 1.0))
    placement.add_front(house, s - 15, 44, 30, side)
    for _ in range(3):
        tree = stretch.tree(rng.uniform(6, 10))
        placement.add(placement.large, tree, s + rng.uniform(-9, 9), side * rng.uniform(34, 42))
