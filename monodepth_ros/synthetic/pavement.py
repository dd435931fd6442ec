# SPDX-License-Identifier: Apache-2.0
"""Textures of the ground, one a tile of street: carriageway with markings, kerbs, pavements, lawns."""

from dataclasses import dataclass

import cv2
import numpy as np

from monodepth_ros.synthetic import materials
from monodepth_ros.synthetic.atlas import Texture
from monodepth_ros.synthetic.ground import TILE
from monodepth_ros.synthetic.noise import fractal_noise, to_pixels

ROWS, COLUMNS = 512, 1024  # 4 cm along the street, 2 cm across
WHITE, YELLOW = (214, 214, 208), (206, 168, 60)
KERB = 0.14  # metres, the kerb stone's width


@dataclass(frozen=True)
class CrossSection:
    """Distances from the street's centreline [m], the same on both sides."""

    kerb: float
    pavement: float  # outer edge of the pavement
    lane: float  # outer edge of the lane, where the parking lane begins


class StreetPainter:
    """Painter of the tiles of one street, whose asphalt and paving match from tile to tile."""

    def __init__(self, rng: np.random.Generator, section: CrossSection) -> None:
        self.section = section
        self._asphalt = materials.asphalt(rng, ROWS, COLUMNS, rng.uniform(78, 104))
        self._paving = self._pick_paving(rng)
        self._grass = materials.grass(rng, ROWS, COLUMNS)
        self._kerb = _slabs(rng, 24, 2, (158, 154, 146), 0.06)
        self._center = rng.choice(["dashed", "solid", "none"], p=(0.7, 0.15, 0.15))
        self._edge = rng.choice(["yellow", "white", "none"])
        self._parking_paved = rng.random() < 0.35
        self._cobbles = _slabs(rng, 160, 160, (112, 106, 100), 0.1)
        n = TILE / 2 - (np.arange(COLUMNS) + 0.5) * TILE / COLUMNS
        self._n = n[None, :]
        self._s = (TILE - (np.arange(ROWS) + 0.5) * TILE / ROWS)[:, None]
        self._wear = fractal_noise(rng, ROWS, COLUMNS, (32, 64), 4, 0.8)

    def tile(self, rng: np.random.Generator, left: str, right: str) -> Texture:
        """A tile between junctions. left, right: "city" (paved up to the houses) or "green" (lawn behind)."""
        image = self._carriageway(rng)
        for sign, side in ((1, left), (-1, right)):
            distance = sign * self._n
            outer = self.section.pavement
            image = np.where((distance > self.section.kerb)[..., None], self._paving, image)
            if side == "green":
                image = np.where((distance > outer)[..., None], self._grass, image)
        self._kerbs(image)
        return Texture(to_pixels(image), (TILE, TILE))

    def junction(self, rng: np.random.Generator, opening: float) -> Texture:
        """A tile with a side street of width `opening` [m] in its middle and crossings before and after it."""
        image = self._carriageway(rng, marked=False)
        corner = np.abs(self._s - TILE / 2) > opening / 2
        beyond = np.abs(self._n) > self.section.kerb
        image = np.where((corner & beyond)[..., None], self._paving, image)
        inside = np.abs(self._n) < self.section.kerb
        stripes = ((self._n / 0.5) % 2 < 1) & inside
        for s in (2.2, TILE - 2.2):
            self._mark(image, stripes & (np.abs(self._s - s) < 1.6), WHITE)
        for s, sign in ((0.35, -1), (TILE - 0.35, 1)):
            self._mark(
                image,
                (np.abs(self._s - s) < 0.18) & (sign * self._n > 0.1) & (sign * self._n < self.section.lane),
                WHITE,
            )
        self._kerbs(image, corner)
        return Texture(to_pixels(image), (TILE, TILE))

    def yard(self, kind: str) -> Texture:
        """The ground beside a tile. kind: "city" (paving), "green" (grass) or "street" (a side street)."""
        size = (TILE / 2, TILE)
        half = np.s_[:, : COLUMNS // 2]
        if kind == "green":
            return Texture(to_pixels(self._grass[half]), size)
        if kind == "city":
            return Texture(to_pixels(self._paving[half]), size)
        street = np.abs(self._s - TILE / 2) < 4.0
        image = np.where(street[..., None], self._asphalt[half], self._paving[half])
        edge = np.abs(np.abs(self._s - TILE / 2) - 4.0) < KERB / 2
        image = np.where(edge[..., None], self._kerb[half], image)
        dashes = (np.abs(self._s - TILE / 2) < 0.07) & ((self._n[:, : COLUMNS // 2] % 5.12) < 2.4)
        self._mark(image, dashes, WHITE)
        return Texture(to_pixels(image), size)

    def kerb_stone(self) -> Texture:
        """The face of the kerb."""
        return Texture(to_pixels(self._kerb[:128, :128] * 0.95), (2.56, 2.56))

    def _pick_paving(self, rng: np.random.Generator) -> np.ndarray:
        kind = rng.integers(3)
        if kind == 0:
            return _slabs(rng, 34, 34, (140, 136, 129), 0.055)
        if kind == 1:
            return _slabs(rng, 102, 52, (132, 114, 104), 0.08)
        return materials.asphalt(rng, ROWS, COLUMNS, 112)

    def _carriageway(self, rng: np.random.Generator, marked: bool = True) -> np.ndarray:
        """Asphalt (ROWS, COLUMNS, 3) with wear, repairs and manholes. marked: with markings and the parking lanes."""
        image = self._asphalt.copy()
        lane, kerb = self.section.lane, self.section.kerb
        # Tyres polish two tracks per lane; oil darkens the middle between them.
        for center in (lane / 2, -lane / 2):
            for offset in (-0.8, 0.8):
                track = np.exp(-np.square((self._n - center - offset) / 0.28))
                image *= 1 - 0.055 * track[..., None]
        if self._parking_paved and marked:
            image = np.where((np.abs(self._n) > lane + 0.1)[..., None], self._cobbles, image)
        materials.cracks(rng, image[64:-64], int(rng.integers(2, 9)))
        for _ in range(int(rng.integers(1, 5))):
            self._patch(rng, image)
        for _ in range(int(rng.integers(0, 3))):
            self._manhole(rng, image)
        gutter = np.exp(-np.square((np.abs(self._n) - kerb + 0.15) / 0.12))
        image *= 1 - 0.2 * gutter[..., None]
        if marked:
            if self._center == "dashed":
                self._mark(image, (np.abs(self._n) < 0.07) & (self._s % 5.12 < 2.2), WHITE)
            elif self._center == "solid":
                self._mark(image, np.abs(np.abs(self._n) - 0.14) < 0.055, WHITE)
            if self._edge != "none":
                at = lane + 0.05 if not self._parking_paved else lane
                color = YELLOW if self._edge == "yellow" else WHITE
                dashes = self._s % 2.56 < (2.56 if self._edge == "yellow" else 1.1)
                self._mark(image, (np.abs(np.abs(self._n) - at) < 0.055) & dashes, color)
        return image

    def _mark(self, image: np.ndarray, where: np.ndarray, color) -> None:
        """Paint a marking where `where` is True, worn off in places."""
        where = np.broadcast_to(where, image.shape[:2]).astype(np.float32)
        cover = where * np.clip(0.9 - 0.22 * np.maximum(self._wear[:, : image.shape[1]], 0), 0.25, 0.95)
        image += (np.asarray(color, np.float32) - image) * cover[..., None].astype(np.float32)

    def _kerbs(self, image: np.ndarray, corner: np.ndarray | None = None) -> None:
        """Paint the kerbs, only where `corner` is True if that is given."""
        edge = (np.abs(self._n) > self.section.kerb) & (np.abs(self._n) < self.section.kerb + KERB)
        if corner is not None:
            edge = edge & corner
        image[:] = np.where(np.broadcast_to(edge, image.shape[:2])[..., None], self._kerb, image)

    def _patch(self, rng: np.random.Generator, image: np.ndarray) -> None:
        """Paint a repair in lighter or darker asphalt."""
        height, width = int(rng.uniform(20, 140)), int(rng.uniform(30, 120))
        kerb = int(self.section.kerb / TILE * COLUMNS)
        row = int(rng.integers(40, ROWS - 40 - height))
        column = int(rng.integers(COLUMNS // 2 - kerb, max(COLUMNS // 2 - kerb + 1, COLUMNS // 2 + kerb - width)))
        view = image[row : row + height, column : column + width]
        view *= rng.uniform(0.72, 1.16)
        for edge in (view[:1], view[-1:], view[:, :1], view[:, -1:]):
            edge *= 0.7

    def _manhole(self, rng: np.random.Generator, image: np.ndarray) -> None:
        """Paint a manhole cover."""
        kerb = int(self.section.kerb / TILE * COLUMNS)
        x = int(COLUMNS / 2 + rng.uniform(-0.7, 0.7) * kerb)
        y = int(rng.integers(60, ROWS - 60))
        for share, tone in ((1.0, 52.0), (0.86, 84.0), (0.6, 66.0), (0.45, 88.0)):
            whole = dict(center=(x, y), axes=(int(18 * share), int(9 * share)), angle=0, startAngle=0, endAngle=360)
            cv2.ellipse(image, **whole, color=(tone, tone, tone), thickness=-1)


def _slabs(
    rng: np.random.Generator, rows: int, columns: int, color: tuple[float, float, float], contrast: float
) -> np.ndarray:
    """Paving of the size of a tile."""
    return materials.slabs(rng, ROWS, COLUMNS, rows=rows, columns=columns, color=color, contrast=contrast)
