# SPDX-License-Identifier: Apache-2.0
"""Fills a street's blocks and junctions with houses, gardens, furniture and cars."""

import numpy as np

from monodepth_ros.synthetic import furniture
from monodepth_ros.synthetic.city import build_city, closing_house, side_street_row
from monodepth_ros.synthetic.gardens import build_gardens, build_park
from monodepth_ros.synthetic.ground import TILE
from monodepth_ros.synthetic.kerbside import furnish_pavement, park_cars
from monodepth_ros.synthetic.pavement import CrossSection
from monodepth_ros.synthetic.placement import Placement
from monodepth_ros.synthetic.raised_ground import kerb_across, raised_ground
from monodepth_ros.synthetic.road import Road
from monodepth_ros.synthetic.stretch import Stock, Stretch

OPENING = 8.0  # metres, width of a side street's carriageway
BUILDERS = {"city": build_city, "green": build_gardens, "park": build_park}


class BlockBuilder:
    """Builder of the blocks and junctions of one street. Its `placement` collects the meshes.

    kerb: number of the kerb's texture.
    """

    def __init__(self, road: Road, section: CrossSection, stock: Stock, kerb: int) -> None:
        self._road, self._section, self._stock, self._kerb = road, section, stock, kerb
        self.placement = Placement(road)

    def block(self, rng: np.random.Generator, start: float, end: float, left: str, right: str) -> None:
        """A stretch between junctions, each side a "city", "green" (houses behind gardens) or a "park"."""
        for side, kind in ((1, left), (-1, right)):
            stretch = self._stretch(rng, start, end, side)
            self._raise_ground(start, end, side)
            BUILDERS[kind](stretch)
            furnish_pavement(stretch, kind)
            park_cars(stretch)

    def junction(self, rng: np.random.Generator, start: float) -> None:
        """One tile with a side street on both sides."""
        items, kerb, placement = self._stock.furniture, self._section.kerb, self.placement
        middle, end = start + TILE / 2, start + TILE
        for side in (1, -1):
            stretch = self._stretch(rng, start, end, side)
            before, after = middle - OPENING / 2, middle + OPENING / 2
            self._raise_ground(start, before, side)
            placement.large += kerb_across(self._road, kerb, self._kerb, before, side)
            self._raise_ground(after, end, side)
            placement.large += kerb_across(self._road, kerb, self._kerb, after, -side)
            for s in (start - 6, end + 6):
                side_street_row(stretch, s, before=s < middle)
            closing_house(stretch, middle)
        for side, s in ((-1, start + 0.6), (1, end - 0.6)):
            if rng.random() < 0.8:
                light = furniture.traffic_light(items)
                placement.add(placement.small, light, s, side * (kerb + 0.5), facing=side)
        placement.add(placement.small, furniture.name_board(items), start + 1.5, -(kerb + 1.6))

    def _stretch(self, rng: np.random.Generator, start: float, end: float, side: int) -> Stretch:
        return Stretch(
            rng=rng,
            placement=self.placement,
            section=self._section,
            stock=self._stock,
            start=start,
            end=end,
            side=side,
        )

    def _raise_ground(self, start: float, end: float, side: int) -> None:
        self.placement.large += raised_ground(self._road, self._section.kerb, self._kerb, start, end, side)
