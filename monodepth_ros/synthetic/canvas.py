# SPDX-License-Identifier: Apache-2.0
"""A picture that is painted in metres."""

from collections.abc import Sequence

import cv2
import numpy as np

Rectangle = tuple[float, float, float, float]  # x0, z0, x1, z1 [m]


class Canvas:
    """A picture with coordinates in metres: x to the right and z up from the lower left corner.

    image: (H, W, 3) float32 RGB, 0..255. size: width and height of the picture [m].
    """

    def __init__(self, image: np.ndarray, size: tuple[float, float]) -> None:
        self.image = np.ascontiguousarray(image, np.float32)
        self._scale_x, self._scale_z = image.shape[1] / size[0], image.shape[0] / size[1]

    def pixels(self, x0: float, z0: float, x1: float, z1: float) -> np.ndarray:
        """The pixels of a rectangle, as a view of the picture."""
        height, width = self.image.shape[:2]
        c0, c1 = (int(np.clip(round(x * self._scale_x), 0, width)) for x in (x0, x1))
        r0, r1 = (int(np.clip(height - round(z * self._scale_z), 0, height)) for z in (z1, z0))
        return self.image[r0:r1, c0:c1]

    def fill(self, x0: float, z0: float, x1: float, z1: float, color: Sequence[float]) -> None:
        """Fill a rectangle with a colour."""
        self.pixels(x0, z0, x1, z1)[:] = color

    def shade(self, x0: float, z0: float, x1: float, z1: float, factor: float) -> None:
        """Multiply the brightness of a rectangle."""
        pixels = self.pixels(x0, z0, x1, z1)
        pixels *= factor

    def frame(self, rectangle: Rectangle, width: float, color: Sequence[float]) -> None:
        """Draw a border of this width [m] inside a rectangle."""
        x0, z0, x1, z1 = rectangle
        self.fill(x0, z0, x1, z0 + width, color)
        self.fill(x0, z1 - width, x1, z1, color)
        self.fill(x0, z0, x0 + width, z1, color)
        self.fill(x1 - width, z0, x1, z1, color)

    def glass(self, rng: np.random.Generator, rectangle: Rectangle, brightness: float = 1.0) -> None:
        """Paint a pane: reflections of sky and street, sometimes curtains or a blind behind it, a slanted gleam."""
        pixels = self.pixels(*rectangle)
        if not pixels.size:
            return
        height, width = pixels.shape[:2]
        y = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
        x = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
        base = np.array((58, 66, 74), np.float32) * rng.uniform(0.6, 1.2) * brightness
        sky = np.array((120, 138, 154), np.float32) * rng.uniform(0.5, 1.1) * brightness
        pixels[:] = base + (sky - base) * np.clip(0.9 - 1.3 * y + rng.uniform(-0.2, 0.3), 0, 1)
        if rng.random() < 0.55:  # curtains on both sides or a blind from above
            curtain = np.array((196, 190, 176), np.float32) * rng.uniform(0.55, 1.0)
            folds = 1 + 0.12 * np.sin(x * rng.uniform(30, 70))
            if rng.random() < 0.6:
                share = rng.uniform(0.15, 0.38)
                covered = ((x < share) | (x > 1 - share)).astype(np.float32)
            else:
                covered = (y < rng.uniform(0.2, 0.8)).astype(np.float32)
            pixels[:] += (curtain * folds - pixels) * covered * 0.72
        gleam = np.clip(1 - np.abs((x + y * 0.8) - rng.uniform(0.2, 1.6)) * 5, 0, 1)
        pixels[:] += gleam * rng.uniform(5, 35)

    def text(self, words: str, x: float, z: float, height: float, color: Sequence[float]) -> None:
        """Write words of this height [m] centred at (x, z)."""
        font = dict(fontFace=cv2.FONT_HERSHEY_DUPLEX, fontScale=height * self._scale_z / 22)
        thickness = max(1, round(font["fontScale"] * 2.2))
        (width, _), _ = cv2.getTextSize(words, **font, thickness=thickness)
        place = (int(x * self._scale_x - width / 2), int(self.image.shape[0] - (z - height / 2) * self._scale_z))
        mask = np.zeros(self.image.shape[:2], np.uint8)  # OpenCV writes on bytes only
        cv2.putText(mask, words, place, **font, color=255, thickness=thickness, lineType=cv2.LINE_AA)
        self._blend(mask, color)

    def arch(self, x: float, z: float, width: float, height: float, color: Sequence[float]) -> None:
        """Fill the upper half of an ellipse whose base is centred at (x, z)."""
        mask = np.zeros(self.image.shape[:2], np.uint8)
        center = (int(x * self._scale_x), int(self.image.shape[0] - z * self._scale_z))
        axes = (int(width / 2 * self._scale_x), int(height * self._scale_z))
        half = dict(angle=0, startAngle=180, endAngle=360)
        cv2.ellipse(mask, center, axes, **half, color=255, thickness=-1, lineType=cv2.LINE_AA)
        self._blend(mask, color)

    def _blend(self, mask: np.ndarray, color: Sequence[float]) -> None:
        """Blend a colour into the picture by a mask (H, W) uint8."""
        self.image += (np.asarray(color, np.float32) - self.image) * (mask[..., None] / np.float32(255))
