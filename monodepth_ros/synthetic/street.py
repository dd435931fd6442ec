# SPDX-License-Identifier: Apache-2.0
"""Builds a street from a seed: its course, its blocks and junctions, its ground and its light."""

from dataclasses import dataclass
from itertools import count

import numpy as np

from monodepth_ros.synthetic import buildings, furniture, plants, sky, vehicles
from monodepth_ros.synthetic.atlas import Texture
from monodepth_ros.synthetic.blocks import BlockBuilder
from monodepth_ros.synthetic.ground import TILE, Ground
from monodepth_ros.synthetic.mesh import join
from monodepth_ros.synthetic.pavement import CrossSection, StreetPainter
from monodepth_ros.synthetic.road import Road
from monodepth_ros.synthetic.scene import Scene, TextureStore
from monodepth_ros.synthetic.stretch import Stock
from monodepth_ros.synthetic.sunlight import LightMap, Sun, light_polygons
from monodepth_ros.synthetic.vehicle_shapes import SHAPES

SIDES = ("city", "city", "green", "park")


@dataclass(frozen=True)
class Street:
    """A street's scene with the measures, the sun and the textures that a drive through it uses."""

    scene: Scene
    section: CrossSection
    sun: Sun
    stock: Stock


def build_street(seed: int, length: float) -> Street:
    """At least `length` metres of the street of a seed; a longer street begins with the shorter one."""
    draws = (np.random.default_rng([seed, 1, topic]) for topic in count())  # independent random numbers for each part
    plan = _plan(next(draws), length)
    road = Road.generate(next(draws), len(plan) * TILE)
    section = _cross_section(next(draws))
    sun = Sun.random(next(draws))
    store = TextureStore()
    stock = _stock(next(draws), store)
    painter = StreetPainter(next(draws), section)
    builder = BlockBuilder(road, section, stock, store.add_one(painter.kerb_stone()))
    ground_textures = _ground_textures(next(draws), store, painter, plan)
    panorama = store.add_one(Texture(sky.panorama(next(draws), sun.cloudiness), (1.0, 1.0)))
    light = LightMap(next(draws), road, sun)
    first = 0
    for tile in range(1, len(plan) + 1):
        if tile == len(plan) or plan[tile] != plan[first]:
            rng = np.random.default_rng([seed, 2, first])
            if plan[first] == "junction":
                builder.junction(rng, first * TILE)
            else:
                builder.block(rng, first * TILE, tile * TILE, *plan[first])
            first = tile
    placement = builder.placement
    large, small = join(*placement.large), join(*placement.small)
    light.add_casters(large)
    light.add_contacts(large)
    for mesh in (large, small):
        light_polygons(mesh, sun)
        light.shade_low_polygons(mesh)
    light.add_casters(small)
    if placement.footprints:
        light.add_footprints(np.array(placement.footprints))
    sizes = np.array([texture.size for texture in store.textures], np.float32)
    ground = Ground(road, ground_textures, sizes, light.finished())
    return Street(Scene(road, join(large, small), store, ground, panorama), section, sun, stock)


def _plan(rng: np.random.Generator, length: float) -> list:
    """For each tile the kinds of its sides (left, right), or "junction". The last block is complete."""
    plan: list = []
    mood = rng.choice(["city", "suburb", "mixed"], p=(0.4, 0.2, 0.4))
    choices = {"city": ("city", "city", "city", "park"), "suburb": ("green", "green", "park"), "mixed": SIDES}
    while len(plan) * TILE < length:
        sides = tuple(map(str, rng.choice(choices[str(mood)], 2)))
        plan += [sides] * int(rng.integers(3, 7)) + ["junction"]
    return plan


def _cross_section(rng: np.random.Generator) -> CrossSection:
    lane = rng.uniform(3.1, 3.5)
    kerb = lane + rng.uniform(2.0, 2.3)
    return CrossSection(kerb=kerb, pavement=min(kerb + rng.uniform(2.3, 3.4), TILE / 2 - 0.5), lane=lane)


def _ground_textures(rng: np.random.Generator, store: TextureStore, painter: StreetPainter, plan: list) -> np.ndarray:
    """(tiles, 3) texture numbers of right yard, street and left yard."""
    yards = {kind: store.add_one(painter.yard(kind)) for kind in ("city", "green", "street")}

    def surface(side: str) -> str:
        return "city" if side == "city" else "green"

    variants = {}
    choices = rng.spawn(1)[0]
    for kind in dict.fromkeys(plan):
        if kind == "junction":
            variants[kind] = [store.add_one(painter.junction(rng, 8.0))]
        else:
            key = tuple(map(surface, kind))
            if key not in variants:
                variants[key] = [store.add_one(painter.tile(rng, *key)) for _ in range(2)]
            variants[kind] = variants[key]
    table = []
    for kind in plan:
        left, right = ("street", "street") if kind == "junction" else map(surface, kind)
        table.append((yards[right], int(choices.choice(variants[kind])), yards[left]))
    return np.array(table)


def _stock(rng: np.random.Generator, store: TextureStore) -> Stock:
    """Paint the textures of everything that blocks are made of."""
    styles = []
    for k in range(6):
        shop = k % 2 == 0
        numbers = store.add(*buildings.style_textures(rng, shop))
        styles.append(buildings.BuildingTextures(numbers[0], numbers[1:3], *numbers[3:], shop=shop))
    species = []
    for _ in range(3):
        color = plants.LEAF_COLORS[rng.integers(len(plants.LEAF_COLORS))]
        cards = store.add(*(plants.leaf_card(rng, color) for _ in range(2)))
        species.append(plants.Species(cards, store.add_one(plants.bark_texture(rng))))
    dark = store.add(*(plants.leaf_card(rng, (52, 76, 48)) for _ in range(1)))
    hedge = store.add_one(plants.hedge_texture(rng, plants.LEAF_COLORS[rng.integers(len(plants.LEAF_COLORS))]))
    cars = []
    for paint in rng.permutation(np.array(vehicles.PAINTS))[:7]:
        shape = SHAPES[rng.integers(len(SHAPES))]
        cars.append(vehicles.CarTextures(shape, *store.add(*vehicles.car_textures(rng, shape, tuple(paint)))))
    items = furniture.FurnitureTextures(*store.add(*furniture.furniture_textures(rng)))
    return Stock(styles, species, plants.Species(dark, species[0].bark), hedge, cars, items)
