# SPDX-License-Identifier: Apache-2.0
"""Fills a street's blocks and junctions: what stands where."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.synthetic import buildings, furniture, plants, vehicles
from monodepth_ros.synthetic.buildings import BuildingTextures
from monodepth_ros.synthetic.facades import BAY
from monodepth_ros.synthetic.furniture import FurnitureTextures
from monodepth_ros.synthetic.ground import TILE
from monodepth_ros.synthetic.mesh import placed, quad
from monodepth_ros.synthetic.pavement import CrossSection
from monodepth_ros.synthetic.plants import Species
from monodepth_ros.synthetic.road import Road

KERB_HEIGHT = 0.12  # metres
OPENING = 8.0  # metres, a side street's carriageway
RAISED_REACH = 24.0  # metres from the centreline to which the ground is as high as the pavement
SLICE = 4.0  # metres; pavements and kerbs follow the bend in straight slices of this length


@dataclass(frozen=True)
class Stock:
    """The painted things a street is made of."""

    styles: list[BuildingTextures]
    species: list[Species]
    conifer: Species
    hedge: int
    cars: list[vehicles.CarTextures]
    furniture: FurnitureTextures


class BlockBuilder:
    """Collects meshes: `large` (houses, trees, ground), `small` (cars, furniture), and cars' footprints."""

    def __init__(self, road: Road, section: CrossSection, stock: Stock, kerb: int) -> None:
        self._road, self._section, self._stock, self._kerb = road, section, stock, kerb
        self._rng = np.random.default_rng()
        self.large: list[np.ndarray] = []
        self.small: list[np.ndarray] = []
        self.footprints: list[np.ndarray] = []

    def block(self, rng: np.random.Generator, start: float, end: float, left: str, right: str) -> None:
        """A stretch between junctions, each side a "city", "green" (houses behind gardens) or a "park"."""
        self._rng = rng
        for side, kind in ((1, left), (-1, right)):
            self._raised_ground(start, end, side)
            {"city": self._city, "green": self._gardens, "park": self._park}[kind](start, end, side)
            self._pavement_things(start, end, side, kind)
            self._parked_cars(start, end, side)

    def junction(self, rng: np.random.Generator, start: float) -> None:
        """One tile with a side street to both sides."""
        self._rng = rng
        items, section = self._stock.furniture, self._section
        middle, end = start + TILE / 2, start + TILE
        for side in (1, -1):
            for a, b, edge in ((start, middle - OPENING / 2, 1), (middle + OPENING / 2, end, 0)):
                self._raised_ground(a, b, side)
                s = b if edge else a
                self._wall(s, section.kerb, s, RAISED_REACH, 0, KERB_HEIGHT, side if edge else -side)
            for s in (start - 6, end + 6):
                self._side_street_row(s, side, outward=s < middle)
            self._closing_house(middle, side)
        for side, s in ((-1, start + 0.6), (1, end - 0.6)):
            if rng.random() < 0.8:
                self._put(self.small, furniture.traffic_light(items), s, side * (section.kerb + 0.5), facing=side)
        self._put(self.small, furniture.name_board(items), start + 1.5, -(section.kerb + 1.6))

    def _put(
        self, target: list, mesh: np.ndarray, s: float, n: float, facing: int = -1, turn: float = 0.0,
        z: float = KERB_HEIGHT,
    ) -> None:  # fmt: skip
        """Place a mesh whose x axis points along the street (facing -1), or against it (facing 1)."""
        x, y = self._road.to_world(s, n)
        heading = float(self._road.heading(s)) + (np.pi if facing > 0 else 0) + turn
        target.append(placed(mesh, float(x), float(y), heading, z))

    def _put_front(self, target: list, mesh: np.ndarray, s0: float, n: float, width: float, side: int) -> float:
        """Place a house of this width with its front at |n|, from s0 on; returns the s where it ends."""
        curvature = float(self._road.curvature_at(s0))
        s1 = s0 + width / max(0.3, 1 - curvature * side * n)
        a = np.array(self._road.to_world(s0, side * n))
        b = np.array(self._road.to_world(s1, side * n))
        if side < 0:
            a, b = b, a
        direction = b - a
        target.append(placed(mesh, *a, float(np.arctan2(direction[1], direction[0])), KERB_HEIGHT))
        return s1

    def _wall(self, s0: float, n0: float, s1: float, n1: float, z0: float, z1: float, side: int) -> None:
        """An upright kerb face between two points of the street; `side` says which way it looks."""
        a, b = (np.array(self._road.to_world(s, side_n)) for s, side_n in ((s0, n0 * side), (s1, n1 * side)))
        corners = [(*a, z0), (*b, z0), (*b, z1), (*a, z1)]
        self.large.append(quad(corners, self._kerb, (2.56, 2.56)))
        self.large.append(quad([corners[1], corners[0], corners[3], corners[2]], self._kerb, (2.56, 2.56)))

    def _raised_ground(self, start: float, end: float, side: int) -> None:
        """Pavement and yards at the kerb's height, with the kerb's face."""
        steps = max(1, int(np.ceil((end - start) / SLICE)))
        s = np.linspace(start, end, steps + 1)
        inner = np.stack(self._road.to_world(s, np.full(len(s), side * self._section.kerb)), -1)
        outer = np.stack(self._road.to_world(s, np.full(len(s), side * RAISED_REACH)), -1)
        for k in range(steps):
            near, far = (inner[k], inner[k + 1]), (outer[k + 1], outer[k])
            ring = [*near, *far] if side > 0 else [near[1], near[0], far[1], far[0]]
            ring = ring[::-1] if side > 0 else ring
            top = quad([(*p, KERB_HEIGHT) for p in ring], self._kerb, on_road=True)
            if top["normal"][0, 2] < 0:
                top = quad([(*p, KERB_HEIGHT) for p in ring[::-1]], self._kerb, on_road=True)
            self.large.append(top)
            a, b = (near[1], near[0]) if side > 0 else near
            face = [(*a, 0), (*b, 0), (*b, KERB_HEIGHT), (*a, KERB_HEIGHT)]
            self.large.append(quad(face[::1], self._kerb, (2.56, 2.56)))

    def _city(self, start: float, end: float, side: int) -> None:
        """A closed row of houses at the pavement's edge."""
        rng, front = self._rng, self._section.pavement
        s, first = start, True
        style = None
        while s < end - BAY:
            room = (end - s) / BAY
            bays = int(min(rng.integers(2, 6), max(1, int(room))))
            if room - bays < 1.5:
                bays = max(1, int(room))
            if not first and rng.random() < 0.1 and room > 4:
                s += self._gap(s, front, side)
                continue
            candidates = [t for t in self._stock.styles if t is not style]
            style = candidates[rng.integers(len(candidates))]
            last = s + bays * BAY > end - BAY
            ends = (first, last) if side > 0 else (last, first)
            storeys = int(rng.choice([1, 2, 2, 3, 3, 4]))
            depth = BAY * (4 if True in ends else int(rng.integers(3, 5)))
            mesh = buildings.row_house(rng, style, bays, storeys, depth, ends)
            if rng.random() < 0.5:
                self._second_row(s, front + depth, side)
            s = self._put_front(self.large, mesh, s, front, bays * BAY, side)
            first = False

    def _gap(self, s: float, front: float, side: int) -> float:
        """A yard between two houses, fenced, with a tree behind; returns its length."""
        rng = self._rng
        length = rng.uniform(3.5, 6.0)
        fence = furniture.board_fence(self._stock.furniture, length, rng.uniform(1.6, 2.2), rng.uniform(0.6, 1.0))
        self._put_front(self.large, fence, s, front + 0.1, length, side)
        tree = plants.tree(rng, self._pick(self._stock.species), rng.uniform(7, 10))
        self._put(self.large, tree, s + length / 2, side * (front + 4))
        return length

    def _second_row(self, s: float, n: float, side: int) -> None:
        rng = self._rng
        width, height = rng.uniform(12, 22), rng.uniform(9, 20)
        house = buildings.tower(self._pick(self._stock.styles), width, 10, height, rng.uniform(0.85, 1.0))
        self._put_front(self.large, house, s, min(n + rng.uniform(4, 14), 34), width, side)

    def _gardens(self, start: float, end: float, side: int) -> None:
        """Detached houses behind front gardens."""
        rng, edge = self._rng, self._section.pavement
        s = start + rng.uniform(1, 4)
        while s < end - 9:
            bays, depth = int(rng.choice([2, 3, 3])), rng.uniform(8, 10)
            front = edge + rng.uniform(3.5, 6.5)
            style = self._pick([t for t in self._stock.styles if not t.shop])
            house = buildings.cottage(rng, style, bays, depth)
            plot_end = min(self._put_front(self.large, house, s, front, bays * BAY, side) + rng.uniform(4, 7), end)
            self._boundary(s - 1, plot_end - 1, edge + 0.35, side)
            for _ in range(int(rng.integers(0, 3))):
                self._garden_plant(rng.uniform(s, plot_end), rng.uniform(edge + 1.2, front - 0.8), side)
            for _ in range(int(rng.integers(1, 4))):
                tree = self._tree(rng.uniform(6, 12))
                self._put(self.large, tree, rng.uniform(s, plot_end), side * (front + depth + rng.uniform(3, 10)))
            if rng.random() < 0.3:
                tint = ((0.2, 0.3, 0.22), (0.25, 0.27, 0.3), (0.32, 0.25, 0.2))[rng.integers(3)]
                bin_ = furniture.wheelie_bin(self._stock.furniture, tint)
                self._put(self.small, bin_, plot_end - 1.5, side * (edge - 0.4), turn=rng.uniform(-0.4, 0.4))
            s = plot_end

    def _boundary(self, start: float, end: float, n: float, side: int) -> None:
        """Hedge, fence or railing along the pavement, with a gap for the gate."""
        rng, items = self._rng, self._stock.furniture
        kind = rng.choice(["hedge", "fence", "railing", "none"], p=(0.45, 0.25, 0.2, 0.1))
        gate = rng.uniform(start + 2, max(start + 2.1, end - 4))
        height, tone = rng.uniform(0.7, 1.7), rng.uniform(0.7, 1.0)
        for a, b in ((start, gate), (gate + 3, end)):
            for s in np.arange(a, b - 0.5, SLICE):
                length = min(SLICE, b - s)
                if kind == "hedge":
                    mesh = plants.hedge(length, 0.7, height, self._stock.hedge, tone)
                elif kind == "fence":
                    mesh = furniture.board_fence(items, length, min(height, 1.2), tone)
                elif kind == "railing":
                    mesh = furniture.railing(items, length)
                else:
                    continue
                self._put_front(self.large, mesh, s, n, length, side)

    def _garden_plant(self, s: float, n: float, side: int) -> None:
        rng = self._rng
        if rng.random() < 0.6:
            mesh = plants.bush(rng, self._pick(self._stock.species), rng.uniform(0.9, 1.8))
        else:
            mesh = self._tree(rng.uniform(3.5, 6))
        self._put(self.large, mesh, s, side * n)

    def _park(self, start: float, end: float, side: int) -> None:
        """A railing or hedge, lawns and trees behind it."""
        rng, edge = self._rng, self._section.pavement
        self._boundary(start, end, edge + 0.3, side)
        for row, (low, high) in enumerate(((2, 5), (7, 14), (15, 25))):
            s = start + rng.uniform(0, 5)
            while s < end:
                self._put(self.large, self._tree(rng.uniform(6, 12)), s, side * (edge + rng.uniform(low, high)))
                s += rng.uniform(5, 11) if row else rng.uniform(7, 13)
        for _ in range(int((end - start) / 9)):
            bush = plants.bush(rng, self._pick(self._stock.species), rng.uniform(1.0, 2.2))
            self._put(self.large, bush, rng.uniform(start, end), side * (edge + rng.uniform(1, 9)))

    def _tree(self, height: float) -> np.ndarray:
        if self._rng.random() < 0.2:
            return plants.conifer(self._rng, self._stock.conifer, height)
        return plants.tree(self._rng, self._pick(self._stock.species), height)

    def _pavement_things(self, start: float, end: float, side: int, kind: str) -> None:
        rng, items, kerb = self._rng, self._stock.furniture, self._section.kerb
        near = side * (kerb + 0.55)
        lamp_height = rng.uniform(5.5, 8)
        for s in np.arange(start + rng.uniform(4, 16), end - 2, rng.uniform(22, 32)):
            self._put(
                self.small,
                furniture.lamp_post(items, lamp_height, 1.6, 0.42),
                s,
                near,
                facing=1 if side > 0 else -1,
            )
        if (kind == "city" and rng.random() < 0.6) or (kind == "park" and rng.random() < 0.3):
            species, height = self._pick(self._stock.species), rng.uniform(6, 8.5)
            for s in np.arange(start + rng.uniform(3, 9), end - 3, rng.uniform(9, 15)):
                if rng.random() < 0.85:
                    tree = plants.tree(rng, species, height * rng.uniform(0.85, 1.15))
                    self._put(self.large, tree, s + rng.uniform(-0.6, 0.6), side * (kerb + 0.9))
        for s in np.arange(start + rng.uniform(2, 14), end, rng.uniform(16, 30)):
            sign = int(rng.choice([items.round_sign, items.triangle_sign, items.blue_sign]))
            self._put(
                self.small,
                furniture.sign_post(items, sign, rng.uniform(0.55, 0.7)),
                s,
                near,
                facing=1 if side > 0 else -1,
            )
        if kind != "green" and rng.random() < 0.45:
            for s in np.arange(start + 2, end - 2, rng.uniform(1.8, 3.0)):
                self._put(self.small, furniture.bollard(items, 0.22), s, side * (kerb + 0.4))
        for _ in range(int(rng.integers(0, 4))):
            tint = ((0.18, 0.3, 0.22), (0.24, 0.25, 0.27), (0.42, 0.36, 0.12))[rng.integers(3)]
            self._put(self.small, furniture.litter_bin(items, tint), rng.uniform(start, end), side * (kerb + 0.7))
        if rng.random() < 0.3 and end - start > 30:
            shelter = furniture.bus_shelter(items)
            self._put(self.small, shelter, rng.uniform(start + 8, end - 8), side * (kerb + 1.5), facing=-side)

    def _parked_cars(self, start: float, end: float, side: int) -> None:
        rng = self._rng
        density = rng.choice([0.25, 0.6, 0.85])
        lane = (self._section.lane + self._section.kerb) / 2
        s = start + rng.uniform(2, 7)
        while s < end - 4:
            textures = self._pick(self._stock.cars)
            length = textures.shape.length
            if rng.random() < density:
                n, turn = side * (lane + rng.normal(0, 0.06)), rng.normal(0, 0.012)
                at = s + length / 2
                self._put(self.small, vehicles.car(textures), at, n, facing=1 if side > 0 else -1, turn=turn, z=0)
                self.footprints.append(self._footprint(at, n, length, textures.shape.width))
            s += length + rng.uniform(0.8, 2.2)

    def _footprint(self, s: float, n: float, length: float, width: float) -> np.ndarray:
        """(4, 2) world corners of a car that stands along the street."""
        x, y = self._road.to_world(s, n)
        heading = float(self._road.heading(s))
        along = np.array([np.cos(heading), np.sin(heading)])
        across = np.array([-along[1], along[0]])
        offsets = ((-1, -1), (1, -1), (1, 1), (-1, 1))
        return np.array([(x, y) + along * a * length / 2 * 0.94 + across * b * width / 2 * 0.94 for a, b in offsets])

    def _side_street_row(self, s: float, side: int, outward: bool) -> None:
        """The side street's own houses, behind the corner houses."""
        rng = self._rng
        house = buildings.tower(self._pick(self._stock.styles), 14, 16, rng.uniform(8, 14), rng.uniform(0.9, 1.0))
        s0 = s - 8 if outward else s - 6
        self._put_front(self.large, house, s0, self._section.pavement + 13, 14, side)

    def _closing_house(self, s: float, side: int) -> None:
        """Something at the side street's end."""
        rng = self._rng
        house = buildings.tower(self._pick(self._stock.styles), 30, 10, rng.uniform(8, 13), rng.uniform(0.9, 1.0))
        self._put_front(self.large, house, s - 15, 44, 30, side)
        for _ in range(3):
            self._put(self.large, self._tree(rng.uniform(6, 10)), s + rng.uniform(-9, 9), side * rng.uniform(34, 42))

    def _pick(self, choices: list):
        return choices[self._rng.integers(len(choices))]
