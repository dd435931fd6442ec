# SPDX-License-Identifier: Apache-2.0
"""Trees, bushes and hedges, made of leaf cards around a trunk and of boxes of foliage."""

from dataclasses import dataclass

import cv2
import numpy as np

from monodepth_ros.synthetic import materials
from monodepth_ros.synthetic.atlas import Texture
from monodepth_ros.synthetic.mesh import block, join, post, quad
from monodepth_ros.synthetic.noise import fractal_noise, to_pixels

LEAF_COLORS = ((92, 118, 52), (74, 104, 48), (110, 124, 58), (84, 96, 40), (126, 116, 48), (66, 92, 56))
CARD = 2.6  # metres, the size of a leaf card


@dataclass(frozen=True)
class Species:
    """Texture numbers of a species of trees."""

    leaves: tuple[int, ...]
    bark: int


def leaf_card(rng: np.random.Generator, color: tuple[float, float, float]) -> Texture:
    """A clump of leaves with a transparent background."""
    size = 128
    pixels = materials.leaves(rng, size, size, color, leaf=3.4)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size - 0.5
    radius = np.sqrt(x * x + y * y) * 2
    holes = fractal_noise(rng, size, size, (8, 8), 3, 0.8)
    opaque = (1.02 - radius + 0.26 * holes) > 0.22
    alpha = cv2.GaussianBlur(opaque.astype(np.float32) * 255, (0, 0), 0.8)
    pixels *= (0.86 + 0.34 * (0.5 - y))[..., None]  # lighter above
    return Texture(to_pixels(pixels), (CARD, CARD), to_pixels(alpha))


def bark_texture(rng: np.random.Generator) -> Texture:
    """The bark of a trunk."""
    return Texture(to_pixels(materials.bark(rng, 128, 64)), (1.0, 2.0))


def hedge_texture(rng: np.random.Generator, color: tuple[float, float, float]) -> Texture:
    """The foliage of a clipped hedge."""
    return Texture(to_pixels(materials.leaves(rng, 128, 128, np.array(color) * 0.9, leaf=2.6)), (2.0, 2.0))


def tree(rng: np.random.Generator, species: Species, height: float) -> np.ndarray:
    """A broad-leaved tree at the origin: a trunk, and leaf cards over an ellipsoid crown."""
    trunk_height = height * rng.uniform(0.42, 0.52)
    radius = 0.045 * height * rng.uniform(0.55, 0.8)
    meshes = [post(radius, trunk_height, species.bark, taper=0.7)]
    crown = np.array([0.28, 0.28, 0.3]) * height * rng.uniform(0.85, 1.15, 3)
    center = np.array([0, 0, height - crown[2]])
    count = int(np.clip(2.2 * height, 9, 22))
    golden = np.pi * (3 - np.sqrt(5))
    turn = rng.uniform(0, 2 * np.pi)
    for k in range(count):
        up = 1 - 2 * (k + 0.5) / count
        ring = np.sqrt(1 - up * up)
        direction = np.array([ring * np.cos(golden * k + turn), ring * np.sin(golden * k + turn), up])
        at = center + crown * direction * rng.uniform(0.5, 0.85)
        outward = direction + rng.normal(0, 0.35, 3)
        outward[2] *= 0.5
        size = CARD * rng.uniform(0.9, 1.25) * height / 8
        # Lower leaves lie in the shade of the crown.
        shade = 0.72 + 0.2 * direction[2] + rng.uniform(-0.06, 0.12)
        meshes.append(_card(at, outward, size, int(rng.choice(species.leaves)), shade))
    return join(*meshes)


def conifer(rng: np.random.Generator, species: Species, height: float) -> np.ndarray:
    """A slender dark tree at the origin: rings of drooping leaf cards, narrower towards the top."""
    meshes = [post(0.02 * height, height * 0.5, species.bark, taper=0.6)]
    rings = int(np.clip(height * 0.8, 4, 8))
    for ring in range(rings):
        share = ring / rings
        z = height * (0.14 + 0.8 * share)
        reach = height * 0.16 * (1 - share) + 0.25
        for k in range(3):
            angle = 2 * np.pi * k / 3 + ring * 1.1
            direction = np.array([np.cos(angle), np.sin(angle), 0.5])
            at = np.array([np.cos(angle) * reach, np.sin(angle) * reach, z])
            size = CARD * (0.45 + 0.75 * (1 - share)) * height / 9
            meshes.append(_card(at, direction, size, int(rng.choice(species.leaves)), 0.55 + 0.2 * share))
    return join(*meshes)


def hedge(length: float, depth: float, height: float, texture: int, tint: float = 1.0) -> np.ndarray:
    """A clipped hedge along x, centred on y = 0. tint: brightness."""
    low, high = (0, -depth / 2, 0), (length, depth / 2, height)
    return block(low, high, texture, texture, size=(2.0, 2.0), tint=(tint, tint, tint), top_size=(2.0, 2.0))


def bush(rng: np.random.Generator, species: Species, size: float) -> np.ndarray:
    """A few leaf cards near the ground."""
    meshes = []
    for k in range(4):
        angle = rng.uniform(0, np.pi) + k * np.pi / 4
        direction = np.array([np.cos(angle), np.sin(angle), rng.uniform(0, 0.5)])
        at = np.array([*rng.normal(0, 0.15 * size, 2), size * 0.42])
        meshes.append(_card(at, direction, size, int(rng.choice(species.leaves)), rng.uniform(0.7, 1.0)))
    return join(*meshes)


def _card(center: np.ndarray, facing: np.ndarray, size: float, texture: int, shade: float) -> np.ndarray:
    """A square leaf card of side `size` [m]. facing: direction of its normal. shade: brightness."""
    normal = facing / np.linalg.norm(facing)
    x, y, z = normal.tolist()
    flat = max(np.hypot(x, y), 1e-6)
    right = np.array((-y, x, 0.0)) / flat
    up = np.array((-x * z, -y * z, flat * flat)) / flat
    corners = [center + size / 2 * (a * right + b * up) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    return quad(corners, texture, tint=(shade, shade, shade), two_sided=True)
