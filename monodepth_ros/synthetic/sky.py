# SPDX-License-Identifier: Apache-2.0
"""The sky: a panorama at infinity with clouds above hazy hills."""

import cv2
import numpy as np

from monodepth_ros.synthetic.noise import fractal_noise, to_pixels

WIDTH, HEIGHT = 2048, 256
TOP, BOTTOM = 0.85, -0.06  # tangent of the elevation at the panorama's edges
HAZE = np.array((206, 212, 216), np.float32)


def panorama(rng: np.random.Generator, cloudiness: float) -> np.ndarray:
    """The whole horizon (256, 2048, 3) uint8. cloudiness: from 0 (blue) to 1 (overcast)."""
    tangent = np.linspace(TOP, BOTTOM, HEIGHT, dtype=np.float32)[:, None]
    zenith = np.array((86, 128, 182), np.float32) * (1 - 0.45 * cloudiness) + 160 * 0.45 * cloudiness
    share = np.exp(-np.maximum(tangent, 0) * 3.2)[..., None]
    sky = np.broadcast_to(zenith + (HAZE - zenith) * share, (HEIGHT, WIDTH, 3)).copy()
    clouds = _clouds(rng, tangent, cloudiness)
    lit = np.array((238, 238, 240), np.float32) - 46 * cloudiness
    shadow = np.array((168, 174, 184), np.float32) - 22 * cloudiness
    relief = np.clip(0.5 + 2.2 * (clouds - np.roll(clouds, -3, axis=0)), 0, 1)[..., None]
    body = np.clip((clouds - 0.25) * 1.6, 0, 1)[..., None]
    color = shadow + (lit - shadow) * np.clip(1 - 0.75 * body + 0.5 * (relief - 0.5), 0, 1)
    color += (HAZE - color) * share * 0.6
    cover = np.clip(clouds * 2.2, 0, 1)[..., None]
    sky += (color - sky) * cover
    _hills(rng, sky)
    return to_pixels(sky)


def _clouds(rng: np.random.Generator, tangent: np.ndarray, cloudiness: float) -> np.ndarray:
    """Opacity 0..1 of a flat layer of clouds, foreshortened towards the horizon."""
    size = 1024
    layer = fractal_noise(rng, size, size, (8, 8), 7, 0.55)
    azimuth = np.linspace(0, 2 * np.pi, WIDTH, endpoint=False, dtype=np.float32)[None, :]
    distance = 260 / (np.maximum(tangent, 0) + 0.16)
    map_x = np.mod(distance * np.cos(azimuth), size).astype(np.float32)
    map_y = np.mod(distance * np.sin(azimuth), size).astype(np.float32)
    cover = cv2.remap(layer, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.clip((cover + 2.1 * cloudiness - 0.75) * 0.55, 0, 1)


def _hills(rng: np.random.Generator, sky: np.ndarray) -> None:
    """Paint ridges of hills, the farther ones paler, into the sky."""
    tangent = np.linspace(TOP, BOTTOM, HEIGHT, dtype=np.float32)[:, None]
    softness = (TOP - BOTTOM) / HEIGHT
    for height, color, cells, rough in (
        (0.052, (176, 186, 192), 8, 0.35),
        (0.036, (150, 164, 164), 16, 0.5),
        (0.022, (118, 134, 122), 32, 0.8),
    ):
        ridge = height * (1 + 0.35 * fractal_noise(rng, 1, WIDTH, (1, cells), 1)[0])
        ridge += 0.005 * rough * fractal_noise(rng, 8, WIDTH, (1, 128), 4, 0.8)[0]
        cover = np.clip((ridge[None, :] - tangent) / softness + 0.5, 0, 1)[..., None]
        texture = 1 + 0.05 * fractal_noise(rng, HEIGHT, WIDTH, (32, 256), 3)[..., None]
        sky += (np.asarray(color, np.float32) * texture - sky) * cover
