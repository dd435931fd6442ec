# SPDX-License-Identifier: Apache-2.0
"""Textures of house fronts: walls with windows, doors and shops, painted at twice their size and averaged."""

from dataclasses import dataclass

import cv2
import numpy as np

from monodepth_ros.synthetic import materials
from monodepth_ros.synthetic.atlas import Texture
from monodepth_ros.synthetic.canvas import Canvas
from monodepth_ros.synthetic.noise import fractal_noise, to_pixels

BAY = 3.2  # metres between windows
BAYS = 4  # in one texture, each a little different
STOREY = 3.2  # metres
GROUND_STOREY = 3.6
WALL_COLORS = (
    (206, 188, 152), (190, 150, 118), (214, 206, 190), (176, 168, 154), (196, 170, 140), (170, 120, 98),
    (208, 178, 120), (156, 164, 164), (222, 214, 196), (188, 132, 110), (164, 178, 160), (200, 196, 186),
)  # fmt: skip
BRICK_COLORS = ((138, 86, 70), (150, 106, 82), (122, 96, 84), (170, 148, 120))
FRAME_COLORS = ((236, 234, 226), (228, 224, 210), (92, 68, 52), (70, 84, 78), (210, 206, 200), (60, 60, 64))
TRIM_COLORS = ((206, 198, 180), (186, 176, 158), (222, 218, 208), (172, 160, 142))
SHOP_COLORS = (
    (150, 40, 36),
    (34, 66, 104),
    (36, 84, 60),
    (196, 150, 40),
    (64, 56, 60),
    (120, 60, 96),
    (206, 200, 190),
)
DOOR_COLORS = ((88, 54, 40), (42, 60, 52), (60, 64, 92), (112, 40, 36), (54, 50, 48))
FLOWERS = ((170, 50, 60), (70, 110, 50), (200, 90, 120), (60, 96, 44))
SHOP_NAMES = (
    "BAKERY", "CAFE", "BOOKS", "FLOWERS", "PHARMACY", "BISTRO", "SHOES", "CYCLES", "FRUIT", "HOTEL", "OPTIK",
    "TEA", "MUSIC", "RECORDS", "TAILOR", "PIZZA", "GALLERY", "KIOSK", "TOYS", "BARBER",
)  # fmt: skip


@dataclass(frozen=True)
class FacadeStyle:
    """Features of one building's front, without the random details."""

    wall: tuple[float, float, float]
    brick: bool
    stone: bool
    frame: tuple[float, float, float]
    window: tuple[float, float]  # metres, width and height
    panes: int
    shutters: tuple[float, float, float] | None
    trim: tuple[float, float, float]
    surround: bool
    band: bool
    arched: bool


def random_style(rng: np.random.Generator) -> FacadeStyle:
    """A front with random materials, colours and windows."""
    brick = rng.random() < 0.35
    wall = np.array((BRICK_COLORS if brick else WALL_COLORS)[rng.integers(4 if brick else len(WALL_COLORS))])
    shutter = np.array(((70, 92, 84), (96, 62, 50), (84, 96, 120), (200, 196, 186))[rng.integers(4)])
    return FacadeStyle(
        wall=tuple(np.clip(wall * rng.uniform(0.88, 1.06) * (1 + rng.normal(0, 0.02, 3)), 40, 228)),
        brick=brick,
        stone=not brick and rng.random() < 0.25,
        frame=FRAME_COLORS[rng.choice(len(FRAME_COLORS), p=(0.35, 0.2, 0.15, 0.1, 0.1, 0.1))],
        window=(rng.uniform(1.0, 1.7), rng.uniform(1.5, 2.1)),
        panes=int(rng.choice([1, 2, 2, 3])),
        shutters=tuple(shutter) if rng.random() < 0.3 else None,
        trim=TRIM_COLORS[rng.integers(len(TRIM_COLORS))],
        surround=bool(rng.random() < 0.6),
        band=bool(rng.random() < 0.6),
        arched=bool(rng.random() < 0.2),
    )


def wall(
    rng: np.random.Generator, style: FacadeStyle, height: int, width: int, size: tuple[float, float]
) -> np.ndarray:
    """The bare wall of a style, (height, width, 3) floats for size = (width, height) metres."""
    if style.brick:
        return materials.bricks(rng, height, width, size, style.wall)
    if style.stone:
        return materials.ashlar(rng, height, width, size, style.wall)
    return materials.plaster(rng, height, width, style.wall)


def blank_wall(rng: np.random.Generator, style: FacadeStyle) -> Texture:
    """A side without windows."""
    size = (6.4, 6.4)
    return Texture(_reduced(wall(rng, style, 512, 512, size) * 0.94), size)


def upper_storeys(rng: np.random.Generator, style: FacadeStyle) -> Texture:
    """Two storeys of four bays."""
    size = (BAYS * BAY, 2 * STOREY)
    canvas = Canvas(wall(rng, style, 512, 1024, size), size)
    for storey in range(2):
        z0 = storey * STOREY
        if style.band:
            canvas.fill(0, z0, size[0], z0 + 0.16, style.trim)
            canvas.shade(0, z0 - 0.07, size[0], z0, 0.68)
        for bay in range(BAYS):
            _window(rng, canvas, style, (bay + 0.5) * BAY, z0 + 0.85)
    return Texture(_reduced(canvas.image), size)


def _window(rng: np.random.Generator, canvas: Canvas, style: FacadeStyle, x: float, z: float) -> None:
    """A window centred at x whose lower edge is at z."""
    w, h = style.window
    x0, x1, z1 = x - w / 2, x + w / 2, z + h
    if style.surround:
        canvas.fill(x0 - 0.16, z - 0.05, x1 + 0.16, z1 + 0.2, style.trim)
    if style.shutters is not None:
        for side in (x0 - w * 0.48, x1 + 0.02):
            canvas.fill(side, z, side + w * 0.46, z1, style.shutters)
            for slat in np.arange(z + 0.05, z1, 0.12):
                canvas.shade(side, slat, side + w * 0.46, slat + 0.035, 0.72)
    canvas.fill(x0, z, x1, z1, style.frame)
    thickness = 0.08
    pane = (w - thickness) / style.panes
    transom = z + h * 0.7
    for k in range(style.panes):
        left = x0 + thickness + k * pane
        canvas.glass(rng, (left, z + thickness, left + pane - thickness, transom - 0.03))
        canvas.glass(rng, (left, transom + 0.03, left + pane - thickness, z1 - thickness))
    if style.arched:
        canvas.arch(x, z1, w, 0.28, np.array(style.frame) * 0.8)
    # The reveal is in shadow above and on one side, the sill is in the light and casts a shadow below.
    canvas.shade(x0, z1 - 0.22, x1, z1, 0.52)
    canvas.shade(x0, z, x0 + 0.07, z1, 0.6)
    canvas.fill(x0 - 0.12, z - 0.1, x1 + 0.12, z, style.trim)
    canvas.shade(x0 - 0.12, z - 0.2, x1 + 0.12, z - 0.1, 0.66)
    if rng.random() < 0.16:  # flowers
        for _ in range(26):
            left, low = x0 + rng.uniform(0, w), z + rng.uniform(-0.08, 0.2)
            canvas.fill(left, low, left + 0.09, low + 0.09, FLOWERS[rng.integers(4)])


def ground_storey(rng: np.random.Generator, style: FacadeStyle, shop_bays: int) -> Texture:
    """The ground floor: shops of `shop_bays` bays each, or flats with a front door for 0."""
    size = (BAYS * BAY, GROUND_STOREY)
    canvas = Canvas(wall(rng, style, 256, 1024, size), size)
    if shop_bays:
        for bay in range(0, BAYS, shop_bays):
            _shop(rng, canvas, bay * BAY, (bay + shop_bays) * BAY)
    else:
        canvas.fill(0, 0, size[0], 0.7, np.array(style.wall) * 0.72)
        door = int(rng.integers(BAYS))
        for bay in range(BAYS):
            if bay == door:
                _door(rng, canvas, (bay + 0.5) * BAY, style)
            else:
                _window(rng, canvas, style, (bay + 0.5) * BAY, 1.05)
    canvas.fill(0, size[1] - 0.14, size[0], size[1], style.trim)
    canvas.shade(0, size[1] - 0.24, size[0], size[1] - 0.14, 0.65)
    # Splashes and dirt near the pavement.
    dirt = np.clip(1 - np.linspace(GROUND_STOREY, 0, 256) / 0.8, 0, 1)[:, None]
    dirt = dirt * (0.22 + 0.06 * fractal_noise(rng, 256, 1024, (4, 32), 4))
    canvas.image *= 1 - np.clip(dirt, 0, 0.5)[..., None].astype(np.float32)
    return Texture(_reduced(canvas.image), size)


def _shop(rng: np.random.Generator, canvas: Canvas, x0: float, x1: float) -> None:
    """A shop between x0 and x1: door, window with its display, sign."""
    color = np.array(SHOP_COLORS[rng.integers(len(SHOP_COLORS))], np.float32) * rng.uniform(0.8, 1.1)
    canvas.fill(x0 + 0.12, 0, x1 - 0.12, 2.75, color * 0.7)
    door = x0 + 0.3 if rng.random() < 0.5 else x1 - 1.35
    left, right = (x0 + 1.45, x1 - 0.3) if door < x0 + 1 else (x0 + 0.3, x1 - 1.5)
    canvas.glass(rng, (left, 0.5, right, 2.6), brightness=0.75)
    for _ in range(int(8 * (right - left))):  # the display
        w, h = rng.uniform(0.06, 0.3), rng.uniform(0.08, 0.4)
        x = rng.uniform(left, right - w)
        z = rng.choice([0.55, 0.95, 1.35]) + rng.uniform(0, 0.05)
        item = np.array((rng.uniform(60, 220), rng.uniform(60, 200), rng.uniform(50, 190)))
        pixels = canvas.pixels(x, z, x + w, z + h)
        pixels[:] = 0.45 * pixels + 0.55 * item
    for x in np.arange(left, right + 0.1, max(1.1, (right - left) / 2)):
        canvas.fill(x - 0.04, 0.45, x + 0.04, 2.6, color)
    canvas.fill(door, 0.05, door + 1.05, 2.6, color)
    canvas.glass(rng, (door + 0.12, 0.45, door + 0.93, 2.45), brightness=0.6)
    canvas.fill(x0 + 0.1, 2.75, x1 - 0.1, 3.3, color)
    canvas.shade(x0 + 0.1, 2.62, x1 - 0.1, 2.75, 0.5)
    bright = np.array((240, 232, 208)) if color.mean() < 130 else np.array((50, 44, 40))
    canvas.text(str(rng.choice(SHOP_NAMES)), (x0 + x1) / 2, 3.02, 0.3, bright)


def _door(rng: np.random.Generator, canvas: Canvas, x: float, style: FacadeStyle) -> None:
    """A front door with a fanlight, centred at x."""
    color = np.array(DOOR_COLORS[rng.integers(5)], np.float32)
    canvas.fill(x - 0.78, 0, x + 0.78, 2.95, style.trim)
    canvas.fill(x - 0.6, 0.12, x + 0.6, 2.25, color)
    canvas.glass(rng, (x - 0.55, 2.32, x + 0.55, 2.75))
    for side in (-0.5, 0.06):
        for low, high in ((0.3, 0.95), (1.1, 2.1)):
            canvas.frame((x + side, low, x + side + 0.44, high), 0.05, color * 0.7)
    canvas.shade(x - 0.6, 2.1, x + 0.6, 2.25, 0.55)
    canvas.fill(x - 0.8, 0, x + 0.8, 0.12, (150, 146, 140))


def _reduced(image: np.ndarray) -> np.ndarray:
    """Half the size, each pixel the mean of four."""
    return to_pixels(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
