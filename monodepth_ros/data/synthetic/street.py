"""Builds a street from a seed: blocks of houses and gardens, junctions, and what stands along them."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.data.synthetic import buildings, furniture, plants, sky, vehicles
from monodepth_ros.data.synthetic.atlas import Texture
from monodepth_ros.data.synthetic.blocks import BlockBuilder, Stock
from monodepth_ros.data.synthetic.ground import TILE, Ground
from monodepth_ros.data.synthetic.mesh import join
from monodepth_ros.data.synthetic.pavement import CrossSection, StreetPainter
from monodepth_ros.data.synthetic.road import Road
from monodepth_ros.data.synthetic.scene import Scene, TextureStore
from monodepth_ros.data.synthetic.sunlight import LightMap, Sun, light_polygons

SIDES = ("city", "city", "green", "park")


@dataclass(frozen=True)
class Street:
    """A scene and what a drive through it needs to know."""

    scene: Scene
    section: CrossSection
    sun: Sun
    stock: Stock


def build_street(seed: int, length: float) -> Street:
    """The street of a seed, at least `length` metres; the same arguments always give the same street."""
    rng = np.random.default_rng([seed, 1])
    tiles = int(np.ceil(length / TILE))
    road = Road.generate(rng, tiles * TILE)
    lane = rng.uniform(3.1, 3.5)
    kerb = lane + rng.uniform(2.0, 2.3)
    section = CrossSection(kerb=kerb, pavement=min(kerb + rng.uniform(2.3, 3.4), TILE / 2 - 0.5), lane=lane)
    sun = Sun.random(rng)
    store = TextureStore()
    stock = _stock(rng, store)
    painter = StreetPainter(rng, section)
    plan = _plan(rng, tiles)
    kerb_stone = store.add_one(painter.kerb_stone())
    ground_textures = _ground_textures(rng, store, painter, plan)
    builder = BlockBuilder(rng, road, section, stock, kerb_stone)
    first = 0
    for tile in range(1, tiles + 1):
        if tile == tiles or plan[tile] != plan[first] or plan[tile] == "junction":
            if plan[first] == "junction":
                builder.junction(first * TILE)
            else:
                builder.block(first * TILE, tile * TILE, *plan[first])
            first = tile
    panorama = store.add_one(Texture(sky.panorama(rng, sun.cloudiness), (1.0, 1.0)))
    large, small = join(*builder.large), join(*builder.small)
    light = LightMap(rng, road, sun)
    light.add_casters(large)
    light.add_contacts(large)
    for mesh in (large, small):
        light_polygons(mesh, sun)
        light.shade_low_polygons(mesh)
    light.add_casters(small)
    if builder.footprints:
        light.add_footprints(np.array(builder.footprints))
    sizes = np.array([texture.size for texture in store.textures], np.float32)
    ground = Ground(road, ground_textures, sizes, light.finished())
    return Street(Scene(road, join(large, small), store, ground, panorama), section, sun, stock)


def _plan(rng: np.random.Generator, tiles: int) -> list:
    """For every tile its two sides' kinds (left, right), or "junction"."""
    plan: list = []
    mood = rng.choice(["city", "suburb", "mixed"], p=(0.4, 0.2, 0.4))
    while len(plan) < tiles:
        if mood == "city":
            sides = tuple(rng.choice(["city", "city", "city", "park"], 2))
        elif mood == "suburb":
            sides = tuple(rng.choice(["green", "green", "park"], 2))
        else:
            sides = tuple(rng.choice(SIDES, 2))
        plan += [tuple(map(str, sides))] * int(rng.integers(3, 7)) + ["junction"]
    return plan[:tiles]


def _ground_textures(
    rng: np.random.Generator, store: TextureStore, painter: StreetPainter, plan: list
) -> np.ndarray:
    """(tiles, 3) texture numbers: right yard, street, left yard."""
    yards = {kind: store.add_one(painter.yard(kind)) for kind in ("city", "green", "street")}

    def surface(side: str) -> str:
        return "city" if side == "city" else "green"

    variants = {}
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
        table.append((yards[right], int(rng.choice(variants[kind])), yards[left]))
    return np.array(table)


def _stock(rng: np.random.Generator, store: TextureStore) -> Stock:
    """Paints everything that blocks are made of."""
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
    hedge = store.add_one(
        plants.hedge_texture(rng, plants.LEAF_COLORS[rng.integers(len(plants.LEAF_COLORS))])
    )
    cars = []
    shapes = list(vehicles.SHAPES.values())
    for paint in rng.permutation(np.array(vehicles.PAINTS))[:7]:
        shape = shapes[rng.integers(len(shapes))]
        cars.append(vehicles.CarTextures(shape, *store.add(*vehicles.car_textures(rng, shape, tuple(paint)))))
    items = furniture.FurnitureTextures(*store.add(*furniture.furniture_textures(rng)))
    return Stock(styles, species, plants.Species(dark, species[0].bark), hedge, cars, items)
