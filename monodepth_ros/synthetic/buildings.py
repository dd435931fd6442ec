# SPDX-License-Identifier: Apache-2.0
"""Houses as meshes. The front of a house lies in the plane y = 0 from x = 0 on, seen from -y."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.synthetic import facades, materials
from monodepth_ros.synthetic.atlas import Texture
from monodepth_ros.synthetic.facades import BAY, GROUND_STOREY, STOREY
from monodepth_ros.synthetic.furniture import railing_texture
from monodepth_ros.synthetic.mesh import block, join, quad
from monodepth_ros.synthetic.noise import to_pixels

Color = tuple[float, float, float]
ROOF_COLORS = ((148, 78, 58), (110, 60, 50), (84, 84, 90), (120, 100, 86), (70, 74, 84))
UPPER_SIZE = (facades.BAYS * BAY, 2 * STOREY)
GROUND_SIZE = (facades.BAYS * BAY, GROUND_STOREY)
BLANK_SIZE, ROOF_SIZE = (6.4, 6.4), (2.6, 2.6)  # metres that one copy of these textures covers


@dataclass(frozen=True)
class BuildingTextures:
    """Texture numbers of one style of buildings. ground: for houses with an even and with an odd number of bays."""

    upper: int
    ground: tuple[int, ...]
    blank: int
    roof: int
    trim: int
    awning: int
    railing: int
    shop: bool


@dataclass(frozen=True)
class Finish:
    """Surface of a wall. size: metres that one copy of the texture covers. shift: metres to move it along the wall."""

    texture: int
    size: tuple[float, float]
    tint: Color
    shift: float = 0.0


def style_textures(rng: np.random.Generator, shop: bool) -> list[Texture]:
    """Textures of a random style: upper, ground (even, odd number of bays), blank, roof, trim, awning, railing."""
    style = facades.random_style(rng)
    roof = materials.roof_tiles(rng, 128, 128, ROOF_COLORS[rng.integers(len(ROOF_COLORS))])
    trim = materials.plaster(rng, 32, 32, style.trim)
    stripes = np.full((64, 64, 3), 232, np.float32)
    color = np.array(facades.SHOP_COLORS[rng.integers(len(facades.SHOP_COLORS))], np.float32)
    stripes[:, (np.arange(64) // 8) % 2 == 0] = color
    return [
        facades.upper_storeys(rng, style),
        facades.ground_storey(rng, style, 2 if shop else 0),
        facades.ground_storey(rng, style, 1 if shop else 0),
        facades.blank_wall(rng, style),
        Texture(to_pixels(roof), ROOF_SIZE),
        Texture(to_pixels(trim), (1.0, 1.0)),
        Texture(to_pixels(stripes), (3.2, 1.5)),
        railing_texture(),
    ]


def row_house(
    rng: np.random.Generator,
    textures: BuildingTextures,
    bays: int,
    storeys: int,
    depth: float,
    corners: tuple[bool, bool] = (False, False),
) -> np.ndarray:
    """A house of a row. storeys: number above the ground floor. corners: whether the (left, right) side has windows."""
    width = bays * BAY
    height = GROUND_STOREY + storeys * STOREY
    ground = textures.ground[bays % 2]
    shift = 2 * BAY * int(rng.integers(facades.BAYS // 2))
    tint = tuple(np.clip(rng.normal(1.0, 0.05) * (1 + rng.normal(0, 0.02, 3)), 0.85, 1.12))
    meshes = [_wall((0, 0), (width, 0), 0, GROUND_STOREY, Finish(ground, GROUND_SIZE, tint, shift))]
    meshes.append(_wall((0, 0), (width, 0), GROUND_STOREY, height, Finish(textures.upper, UPPER_SIZE, tint, shift)))
    for at, corner in zip(((width, 0), (0, depth)), corners[::-1], strict=True):
        a, b = (at, (width, depth)) if at[0] else (at, (0, 0))
        if corner:
            meshes.append(_wall(a, b, 0, GROUND_STOREY, Finish(ground, GROUND_SIZE, tint)))
            meshes.append(_wall(a, b, GROUND_STOREY, height, Finish(textures.upper, UPPER_SIZE, tint)))
        else:
            meshes.append(_wall(a, b, 0, height, Finish(textures.blank, BLANK_SIZE, tint)))
    meshes.append(_cornice(width, height, textures.trim, tint))
    if rng.random() < 0.35:
        meshes.append(_flat_roof(rng, width, depth, height, textures))
    else:
        meshes.append(_pitched_roof(rng, width, depth, height, textures, dormers=bays > 1))
    if textures.shop and rng.random() < 0.75:
        meshes.append(_awnings(rng, bays, textures))
    if rng.random() < 0.45:
        meshes.append(_balconies(rng, bays, storeys, textures))
    return join(*meshes)


def cottage(rng: np.random.Generator, textures: BuildingTextures, bays: int, depth: float) -> np.ndarray:
    """A detached house of one or two storeys with a pitched roof, sometimes with a garage and a porch."""
    storeys = int(rng.choice([0, 1, 1]))
    width, height = bays * BAY, GROUND_STOREY - 0.4 + storeys * STOREY
    ground = int(rng.choice(textures.ground))
    tint = tuple(np.clip(rng.normal(1.0, 0.05) * (1 + rng.normal(0, 0.02, 3)), 0.85, 1.12))
    shift = BAY * int(rng.integers(facades.BAYS))
    meshes = []
    low = min(height, GROUND_STOREY)
    for a, b in (((0, 0), (width, 0)), ((width, 0), (width, depth)), ((0, depth), (0, 0))):
        meshes.append(_wall(a, b, 0, low, Finish(ground, GROUND_SIZE, tint, shift)))
        if storeys:
            meshes.append(_wall(a, b, low, height, Finish(textures.upper, UPPER_SIZE, tint, shift)))
    if rng.random() < 0.5:
        meshes.append(_pitched_roof(rng, width, depth, height, textures, overhang=0.45, dormers=False))
    else:
        meshes.append(_gable_front(rng, width, depth, height, textures, tint))
    if rng.random() < 0.5:
        low_corner, high_corner = (width, 1.0, 0), (width + 3.0, depth - 1, 2.6)
        garage = block(low_corner, high_corner, textures.blank, textures.roof, size=BLANK_SIZE, tint=tint)
        door = [
            (width + 0.25, 0.97, 0),
            (width + 2.75, 0.97, 0),
            (width + 2.75, 0.97, 2.2),
            (width + 0.25, 0.97, 2.2),
        ]
        tone = rng.uniform(0.55, 1.0)
        meshes += [garage, quad(door, textures.trim, (0.5, 0.4), (tone, tone, tone))]
    if rng.random() < 0.5:
        x = width * rng.uniform(0.2, 0.6)
        porch = block((x, -1.3, 2.45), (x + 2.2, 0, 2.6), textures.trim, textures.roof, bottom=textures.trim)
        posts = [block((x + o, -1.25, 0), (x + o + 0.12, -1.13, 2.45), textures.trim) for o in (0.08, 2.0)]
        meshes += [porch, *posts]
    return join(*meshes)


def tower(textures: BuildingTextures, width: float, depth: float, height: float, tint: float) -> np.ndarray:
    """A large plain building for the second row. tint: brightness."""
    shade = (tint, tint, tint)
    finish = Finish(textures.upper, UPPER_SIZE, shade)
    ring = [(0, 0), (width, 0), (width, depth), (0, depth)]
    walls = [_wall(a, b, 0, height, finish) for a, b in zip(ring, ring[1:] + ring[:1], strict=True)]
    roof = quad([(*p, height) for p in ring], textures.trim, (1.0, 1.0), shade)
    return join(*walls, roof)


def _wall(a: tuple[float, float], b: tuple[float, float], z0: float, z1: float, finish: Finish) -> np.ndarray:
    """An upright wall from a to b (x, y)."""
    wall = quad([(*a, z0), (*b, z0), (*b, z1), (*a, z1)], finish.texture, finish.size, finish.tint)
    wall["origin"] -= finish.shift * (np.subtract(b, a) / np.linalg.norm(np.subtract(b, a)) @ np.eye(2, 3))
    return wall


def _cornice(width: float, height: float, trim: int, tint: Color) -> np.ndarray:
    """A ledge along the front at the height of the roof, above a narrower one."""
    style = dict(sides=trim, bottom=trim, size=(1.0, 1.0), top_size=(1.0, 1.0), tint=tint)
    return join(
        block((-0.02, -0.35, height - 0.12), (width + 0.02, 0, height + 0.16), top=trim, **style),
        block((0, -0.16, height - 0.34), (width, 0, height - 0.12), **style),
    )


def _flat_roof(rng: np.random.Generator, width: float, depth: float, height: float, t: BuildingTextures) -> np.ndarray:
    parapet = height + rng.uniform(0.5, 1.0)
    meshes = [block((0, 0, height), (width, 0.3, parapet), t.blank, t.trim, size=BLANK_SIZE, top_size=(1.0, 1.0))]
    if rng.random() < 0.5:
        x = rng.uniform(0.1, 0.5) * width
        low, high = (x, depth * 0.4, height), (x + min(4.0, width / 2), depth * 0.8, height + 2.6)
        meshes.append(block(low, high, t.blank, t.trim, size=BLANK_SIZE))
    return join(*meshes)


def _pitched_roof(
    rng: np.random.Generator,
    width: float,
    depth: float,
    height: float,
    t: BuildingTextures,
    *,
    overhang: float = 0.3,
    dormers: bool = True,
) -> np.ndarray:
    """A roof whose ridge is parallel to the street, with chimneys."""
    rise = depth / 2 * np.tan(np.radians(rng.uniform(32, 46)))
    ridge, slope = height + rise, rise / (depth / 2)
    y0, z0 = -overhang, height + 0.16 - overhang * slope * 0.3
    x0, x1 = -overhang * 0.4, width + overhang * 0.4
    middle = depth / 2
    front = [(x0, y0, z0), (x1, y0, z0), (x1, middle, ridge), (x0, middle, ridge)]
    back = [(x1, depth - y0, z0), (x0, depth - y0, z0), (x0, middle, ridge), (x1, middle, ridge)]
    meshes = [
        quad(front, t.roof, ROOF_SIZE),
        quad(back, t.roof, ROOF_SIZE),
        quad([(width, 0, height), (width, depth, height), (width, middle, ridge)], t.blank, BLANK_SIZE),
        quad([(0, depth, height), (0, 0, height), (0, middle, ridge)], t.blank, BLANK_SIZE),
    ]
    for _ in range(int(rng.integers(0, 3))):
        x = rng.uniform(0.1, 0.9) * (width - 0.7)
        y = middle + rng.uniform(-0.5, 1.0)
        low, high = (x, y, ridge - 1.2), (x + rng.uniform(0.5, 0.9), y + 0.55, ridge + rng.uniform(0.6, 1.1))
        meshes.append(block(low, high, t.blank, t.trim, size=BLANK_SIZE, tint=(0.85, 0.8, 0.78)))
    if dormers and rng.random() < 0.6:
        for x in np.arange(BAY / 2, width, BAY):
            y, z = 0.9, height + 0.9 * slope
            if rng.random() < 0.75 and z + 1.5 < ridge:
                meshes.append(_dormer(x, y, z, slope, t))
    return join(*meshes)


def _dormer(x: float, y: float, z: float, slope: float, t: BuildingTextures) -> np.ndarray:
    """A dormer window, textured with the middle of a bay."""
    w, h = 0.8, 1.45
    deep = y + h / slope
    front = quad([(x - w, y, z), (x + w, y, z), (x + w, y, z + h), (x - w, y, z + h)], t.upper, UPPER_SIZE)
    front["origin"] += (-(BAY / 2 - w), 0, -0.95)
    sides = [
        quad([(x + w, y, z), (x + w, deep, z + h), (x + w, y, z + h)], t.roof, ROOF_SIZE, (0.8, 0.8, 0.8)),
        quad([(x - w, deep, z + h), (x - w, y, z), (x - w, y, z + h)], t.roof, ROOF_SIZE, (0.8, 0.8, 0.8)),
    ]
    top = [(x - w - 0.1, y - 0.15, z + h), (x + w + 0.1, y - 0.15, z + h), (x + w + 0.1, deep, z + h + 0.05)]
    return join(front, *sides, quad([*top, (x - w - 0.1, deep, z + h + 0.05)], t.trim, (1.0, 1.0), (0.7, 0.7, 0.7)))


def _gable_front(
    rng: np.random.Generator, width: float, depth: float, height: float, t: BuildingTextures, tint: Color
) -> np.ndarray:
    """A roof whose ridge is at right angles to the street, with a gable above the front."""
    rise = width / 2 * np.tan(np.radians(rng.uniform(30, 44)))
    ridge, middle, out = height + rise, width / 2, 0.4
    drop = out * rise / (width / 2)
    left = [
        (-out, depth + out, height - drop),
        (-out, -out, height - drop),
        (middle, -out, ridge),
        (middle, depth + out, ridge),
    ]
    right = [
        (width + out, -out, height - drop),
        (width + out, depth + out, height - drop),
        (middle, depth + out, ridge),
        (middle, -out, ridge),
    ]
    gable = quad([(0, 0, height), (width, 0, height), (middle, 0, ridge)], t.blank, BLANK_SIZE, tint)
    w, z = 0.7, height + 0.35
    left_edge, right_edge, top = middle - w, middle + w, z + 1.4
    corners = [
        (left_edge, -0.02, z),
        (right_edge, -0.02, z),
        (right_edge, -0.02, top),
        (left_edge, -0.02, top),
    ]
    window = quad(corners, t.upper, UPPER_SIZE, tint)
    window["origin"] += (-(BAY / 2 - w), 0, -0.95)
    meshes = [quad(left, t.roof, ROOF_SIZE), quad(right, t.roof, ROOF_SIZE), gable]
    if rise > 2.2:
        meshes.append(window)
    return join(*meshes)


def _awnings(rng: np.random.Generator, bays: int, t: BuildingTextures) -> np.ndarray:
    """Awnings over the shop windows: a sloping cloth and its valance."""
    meshes = []
    bay = 0
    while bay < bays:
        width = min(int(rng.choice([1, 2])), bays - bay)
        if rng.random() < 0.6:
            x0, x1 = bay * BAY + 0.2, (bay + width) * BAY - 0.2
            out, z0, z1 = rng.uniform(0.9, 1.4), 2.35, 2.8
            cloth = [(x0, -out, z0), (x1, -out, z0), (x1, 0, z1), (x0, 0, z1)]
            valance = [(x0, -out, z0 - 0.2), (x1, -out, z0 - 0.2), (x1, -out, z0), (x0, -out, z0)]
            meshes.append(quad(cloth, t.awning, (3.2, 3.0), two_sided=True))
            meshes.append(quad(valance, t.awning, (3.2, 3.0)))
        bay += width
    return join(*meshes)


def _balconies(rng: np.random.Generator, bays: int, storeys: int, t: BuildingTextures) -> np.ndarray:
    meshes = []
    chosen = rng.random(bays) < 0.6
    for storey in range(storeys):
        z = GROUND_STOREY + storey * STOREY + 0.1
        for bay in np.flatnonzero(chosen):
            x0, x1 = bay * BAY + 0.5, (bay + 1) * BAY - 0.5
            meshes.append(block((x0, -1.0, z - 0.15), (x1, 0, z), t.trim, t.trim, size=(1.0, 1.0), bottom=t.trim))
            size, tint = (1.1, 1.0), (0.16, 0.17, 0.18)
            for a, b in (((x0, 0), (x0, -1)), ((x0, -1), (x1, -1)), ((x1, -1), (x1, 0))):
                corners = [(*a, z), (*b, z), (*b, z + 1), (*a, z + 1)]
                meshes.append(quad(corners, t.railing, size, tint, two_sided=True))
    return join(*meshes)
