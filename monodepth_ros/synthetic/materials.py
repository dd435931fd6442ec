# SPDX-License-Identifier: Apache-2.0
"""Seamless surfaces, (H, W, 3) float32 0..255: asphalt, paving, grass, bricks, roof tiles, foliage."""

import cv2
import numpy as np

from monodepth_ros.synthetic.noise import colored, fractal_noise

Color = tuple[float, float, float]


def asphalt(rng: np.random.Generator, height: int, width: int, tone: float = 92.0) -> np.ndarray:
    """Asphalt of a grey `tone` with grain and stains."""
    grain = fractal_noise(rng, height, width, (64, 64), 4, 0.9)
    stains = fractal_noise(rng, height, width, (4, 8), 5, 0.6)
    value = 1 + 0.075 * grain + 0.07 * stains
    return colored(value, (tone, tone * 0.995, tone * 0.98))


def cracks(rng: np.random.Generator, image: np.ndarray, count: int) -> None:
    """Draw `count` winding dark lines into `image`."""
    height, width = image.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    for _ in range(count):
        steps = rng.integers(10, 40)
        direction = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.35, steps))
        length = rng.uniform(4, 10)
        path = rng.uniform((0, 0), (width, height)) + np.cumsum(
            length * np.stack([np.cos(direction), np.sin(direction)], 1), axis=0
        )
        line = np.round(path * 16).astype(np.int32)
        cv2.polylines(mask, [line], isClosed=False, color=255, thickness=1, lineType=cv2.LINE_AA, shift=4)
    image *= 1 - 0.45 * mask[..., None] / np.float32(255)


def slabs(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    rows: int,
    columns: int,
    color: Color,
    contrast: float,
) -> np.ndarray:
    """Paving in running bond with dark joints: rows x columns slabs.

    contrast: standard deviation of the brightness from slab to slab.
    """
    y = np.arange(height)[:, None] * rows / height
    row = np.floor(y).astype(int)
    x = np.arange(width)[None, :] * columns / width + 0.5 * (row % 2)
    column = np.floor(x).astype(int) % columns
    tone = rng.normal(0, contrast, (rows, columns)).astype(np.float32)
    value = 1 + tone[row % rows, column] + 0.06 * fractal_noise(rng, height, width, (32, 32), 4, 0.8)
    value += 0.05 * fractal_noise(rng, height, width, (4, 4), 4)
    joint_y = np.minimum(y % 1, 1 - y % 1) * height / rows
    joint_x = np.minimum(x % 1, 1 - x % 1) * width / columns
    joint = np.clip(1.1 - np.minimum(joint_x, joint_y), 0, 1)
    return colored(value * (1 - 0.4 * joint), color)


def grass(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A lawn with dry and bare patches."""
    blades = fractal_noise(rng, height, width, (128, 128), 3, 0.9)
    patches = fractal_noise(rng, height, width, (4, 4), 4)
    bare = np.clip(fractal_noise(rng, height, width, (4, 4), 4) - 1.2, 0, 1)[..., None]
    green = colored(1 + 0.22 * blades, (88, 108, 52))
    green += colored(0.12 * patches, (120, 90, 20))
    return green * (1 - bare) + colored(1 + 0.15 * blades, (122, 106, 80)) * bare


def bricks(rng: np.random.Generator, height: int, width: int, size: tuple[float, float], color: Color) -> np.ndarray:
    """Brickwork over size = (width, height) [m]: bricks of 25 x 8 cm with thin joints."""
    rows, columns = max(2, round(size[1] / 0.08) // 2 * 2), max(1, round(size[0] / 0.25))
    wall = slabs(rng, height, width, rows=rows, columns=columns, color=color, contrast=0.11)
    return wall * (1 + 0.05 * fractal_noise(rng, height, width, (4, 4), 4)[..., None])


def plaster(rng: np.random.Generator, height: int, width: int, color: Color) -> np.ndarray:
    """A painted wall with fine grain, vertical streaks and blotches."""
    grain = fractal_noise(rng, height, width, (128, 128), 3, 0.8)
    streaks = fractal_noise(rng, height, width, (2, 64), 3, 0.6)
    blotches = fractal_noise(rng, height, width, (4, 4), 5, 0.6)
    return colored(1 + 0.03 * grain + 0.025 * streaks + 0.045 * blotches, color)


def ashlar(rng: np.random.Generator, height: int, width: int, size: tuple[float, float], color: Color) -> np.ndarray:
    """Dressed stone over size = (width, height) [m], in courses of about 45 cm."""
    rows, columns = max(2, round(size[1] / 0.45) // 2 * 2), max(1, round(size[0] / 0.9))
    return slabs(rng, height, width, rows=rows, columns=columns, color=color, contrast=0.05)


def roof_tiles(rng: np.random.Generator, height: int, width: int, color: Color) -> np.ndarray:
    """Rows of rounded tiles with a shadow at the lower edge of each row."""
    rows, columns = height // 8, width // 8
    tone = rng.normal(0, 0.13, (rows, columns)).astype(np.float32)
    y, x = np.arange(height)[:, None] / 8, np.arange(width)[None, :] / 8
    value = 1 + tone[np.floor(y).astype(int) % rows, np.floor(x).astype(int) % columns]
    value = value * (1.1 - 0.42 * (y % 1) ** 3) * (0.92 + 0.12 * np.sin(2 * np.pi * x))
    value += 0.08 * fractal_noise(rng, height, width, (4, 4), 4)
    return colored(value.astype(np.float32), color)


def leaves(
    rng: np.random.Generator,
    height: int,
    width: int,
    color: Color,
    leaf: float = 3.0,
    count: int | None = None,
) -> np.ndarray:
    """Overlapping leaves, dark ones inside and light ones outside. leaf: half the length of a leaf [px]."""
    image = np.empty((height, width, 3), np.float32)
    image[:] = np.asarray(color, np.float32) * 0.32
    count = count or int(1.6 * height * width / leaf**2)
    centers = rng.uniform((0, 0), (width, height), (count, 2))
    clumps = fractal_noise(rng, height, width, (8, 8), 3)
    for index, (x, y) in enumerate(centers):
        depth = index / count
        tone = (0.45 + 0.75 * depth + 0.12 * clumps[int(y), int(x)]) * rng.uniform(0.8, 1.2)
        shade = np.asarray(color) * tone * (1 + rng.normal(0, 0.06, 3))
        axes = (leaf * rng.uniform(0.6, 1.3), leaf * rng.uniform(0.3, 0.7))
        angle = rng.uniform(0, 180)
        for dx in (-width, 0, width) if min(x, width - x) < 2 * leaf else (0,):
            for dy in (-height, 0, height) if min(y, height - y) < 2 * leaf else (0,):
                cv2.ellipse(image, ((x + dx, y + dy), (2 * axes[0], 2 * axes[1]), angle), shade.tolist(), -1)
    return image


def bark(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Bark with vertical ridges."""
    ridges = fractal_noise(rng, height, width, (4, 16), 4, 0.7)
    return colored(1 + 0.22 * ridges, (92, 78, 64))


def wood(rng: np.random.Generator, height: int, width: int, color: Color, boards: int) -> np.ndarray:
    """Upright boards with dark gaps."""
    x = np.arange(width)[None, :] * boards / width
    tone = rng.normal(0, 0.08, boards).astype(np.float32)[np.floor(x).astype(int) % boards]
    grain = fractal_noise(rng, height, width, (2, 64), 3, 0.7)
    gap = np.clip(1.2 - np.minimum(x % 1, 1 - x % 1) * width / boards, 0, 1)
    return colored((1 + tone + 0.08 * grain) * (1 - 0.55 * gap), color)
