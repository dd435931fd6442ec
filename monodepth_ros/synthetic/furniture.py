# SPDX-License-Identifier: Apache-2.0
"""Street furniture: lamps, signs, traffic lights, bollards, bins, railings, bus shelters."""

from dataclasses import dataclass

import cv2
import numpy as np

from monodepth_ros.synthetic import materials
from monodepth_ros.synthetic.atlas import Texture
from monodepth_ros.synthetic.mesh import block, join, placed, post, quad
from monodepth_ros.synthetic.noise import to_pixels


@dataclass(frozen=True)
class FurnitureTextures:
    """Texture numbers, in the order of `furniture_textures`."""

    plain: int
    lamp: int
    round_sign: int
    triangle_sign: int
    blue_sign: int
    name_sign: int
    light: int
    railing: int
    fence: int
    glass: int


def furniture_textures(rng: np.random.Generator) -> list[Texture]:
    """The textures of `FurnitureTextures`, in its order; signs have random texts."""
    plain = np.full((16, 16, 3), 255, np.uint8)
    lamp = np.full((16, 16, 3), (236, 230, 208), np.uint8)
    return [
        Texture(plain, (1.0, 1.0)),
        Texture(lamp, (1.0, 1.0)),
        _sign("circle", (246, 246, 244), (190, 30, 34), str(rng.choice(["30", "50", "40"]))),
        _sign("triangle", (246, 246, 244), (190, 30, 34), "!"),
        _sign("square", (28, 84, 168), (240, 240, 240), "P"),
        _name_sign(str(rng.choice(["STATION", "MARKET", "HARBOUR", "CENTRE", "OLD TOWN", "RIVER RD"]))),
        _traffic_light(),
        railing_texture(),
        Texture(to_pixels(materials.wood(rng, 64, 128, (136, 112, 84), 14)), (2.0, 1.0)),
        Texture(np.full((16, 16, 3), (136, 156, 164), np.uint8), (1.0, 1.0)),
    ]


def lamp_post(textures: FurnitureTextures, height: float, reach: float, tone: float) -> np.ndarray:
    """A street lamp whose arm points along +y."""
    tint = (tone, tone, tone * 1.02)
    arm = block((-0.05, 0, height - 0.08), (0.05, reach, height), textures.plain, textures.plain, tint=tint)
    head = block(
        (-0.11, reach - 0.35, height - 0.14),
        (0.11, reach + 0.35, height),
        textures.plain,
        textures.plain,
        tint=(0.5, 0.5, 0.5),
        bottom=textures.lamp,
    )
    return join(post(0.085, height, textures.plain, 6, tint, taper=0.65), arm, head)


def sign_post(textures: FurnitureTextures, sign: int, size: float, height: float = 2.2) -> np.ndarray:
    """A traffic sign on a post, facing -x. sign: number of its texture. size, height: of the sign and below it [m]."""
    z0, z1 = height, height + size
    face = [(-0.05, size / 2, z0), (-0.05, -size / 2, z0), (-0.05, -size / 2, z1), (-0.05, size / 2, z1)]
    back = [(-0.045, -size / 2, z0), (-0.045, size / 2, z0), (-0.045, size / 2, z1), (-0.045, -size / 2, z1)]
    grey = (0.55, 0.56, 0.57)
    return join(post(0.035, z1, textures.plain, 5, grey), quad(face, sign), quad(back, sign, tint=(0.45, 0.45, 0.46)))


def name_board(textures: FurnitureTextures) -> np.ndarray:
    """A direction board on two posts, facing -x."""
    grey = (0.5, 0.51, 0.52)
    board = [(-0.05, 0.9, 2.0), (-0.05, -0.9, 2.0), (-0.05, -0.9, 2.6), (-0.05, 0.9, 2.6)]
    posts = [placed(post(0.04, 2.6, textures.plain, 5, grey), 0.0, y) for y in (-0.7, 0.7)]
    return join(quad(board, textures.name_sign), *posts)


def traffic_light(textures: FurnitureTextures) -> np.ndarray:
    """A traffic light on a post, facing -x."""
    dark = (0.13, 0.14, 0.14)
    body = block((-0.02, -0.17, 2.35), (0.2, 0.17, 3.3), textures.plain, textures.plain, tint=dark)
    face = [(-0.03, 0.17, 2.35), (-0.03, -0.17, 2.35), (-0.03, -0.17, 3.3), (-0.03, 0.17, 3.3)]
    return join(
        placed(post(0.06, 3.2, textures.plain, 6, (0.28, 0.29, 0.3)), 0.12, 0),
        body,
        quad(face, textures.light),
    )


def bollard(textures: FurnitureTextures, tone: float) -> np.ndarray:
    """A bollard. tone: its brightness."""
    return post(0.07, 0.95, textures.plain, 6, (tone, tone, tone))


def litter_bin(textures: FurnitureTextures, tint: tuple[float, float, float]) -> np.ndarray:
    """A bin on a post."""
    return block((-0.22, -0.22, 0.1), (0.22, 0.22, 1.0), textures.plain, textures.plain, tint=tint)


def wheelie_bin(textures: FurnitureTextures, tint: tuple[float, float, float]) -> np.ndarray:
    """A household bin with a lid."""
    lid = tuple(0.8 * t for t in tint)
    return join(
        block((-0.28, -0.32, 0.05), (0.28, 0.32, 0.98), textures.plain, tint=tint),
        block((-0.31, -0.35, 0.98), (0.31, 0.35, 1.08), textures.plain, textures.plain, tint=lid),
    )


def railing(textures: FurnitureTextures, length: float) -> np.ndarray:
    """An iron railing along x, with gaps between its bars."""
    corners = [(0, 0, 0), (length, 0, 0), (length, 0, 1.1), (0, 0, 1.1)]
    return quad(corners, textures.railing, (2.2, 1.1), (0.16, 0.18, 0.17), two_sided=True)


def board_fence(textures: FurnitureTextures, length: float, height: float, tone: float) -> np.ndarray:
    """A wooden fence along x. tone: its brightness."""
    shade = (tone, tone, tone)
    return block((0, -0.04, 0), (length, 0.04, height), textures.fence, textures.plain, size=(2.0, height), tint=shade)


def bus_shelter(textures: FurnitureTextures) -> np.ndarray:
    """A bus shelter along x, 3.6 m long and open towards -y."""
    plain, fence, frame = textures.plain, textures.fence, (0.3, 0.32, 0.34)
    roof = block((-1.8, -0.7, 2.35), (1.8, 0.7, 2.5), plain, plain, tint=frame, bottom=plain)
    back = block((-1.8, 0.6, 0.25), (1.8, 0.64, 2.2), textures.glass, tint=(0.8, 0.85, 0.85))
    bench = block((-1.3, 0.2, 0.42), (0.9, 0.55, 0.5), fence, fence, size=(1.0, 0.5), bottom=plain)
    posts = [placed(post(0.05, 2.35, textures.plain, 5, frame), x, y) for x in (-1.75, 1.75) for y in (-0.6, 0.6)]
    return join(roof, back, bench, *posts)


def _sign(kind: str, face: tuple, border: tuple, words: str) -> Texture:
    """A "circle", "triangle" or "square" with a border and words."""
    size = 256
    image = np.full((size, size, 3), border, np.uint8)
    alpha = np.zeros((size, size), np.uint8)
    if kind == "circle":
        cv2.circle(alpha, (128, 128), 124, 255, -1)
        cv2.circle(image, (128, 128), 96, face, -1)
    elif kind == "triangle":
        outer, inner = (
            np.array([(8, 236), (248, 236), (128, 16)]),
            np.array([(54, 210), (202, 210), (128, 74)]),
        )
        cv2.fillPoly(alpha, [outer], 255)
        cv2.fillPoly(image, [inner], face)
    else:
        alpha[6:250, 6:250] = 255
        cv2.rectangle(image, (18, 18), (238, 238), face, -1)
    ink = (30, 30, 34) if kind != "square" else (244, 244, 244)
    scale = 3.2 if len(words) > 1 else 5.0
    (width, height), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_DUPLEX, scale, 10)
    middle = 150 if kind == "triangle" else 128
    at = (128 - width // 2, middle + height // 2)
    _write(image, words, at, scale if kind != "triangle" else 3.4, ink)
    return Texture(_quartered(image), (1.0, 1.0), _quartered(alpha))


def _name_sign(words: str) -> Texture:
    """A green direction board."""
    image = np.full((256, 1024, 3), (30, 92, 70), np.uint8)
    cv2.rectangle(image, (14, 14), (1010, 242), (240, 240, 236), 8)
    (width, height), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_DUPLEX, 4.2, 10)
    at = (512 - width // 2, 128 + height // 2)
    _write(image, words, at, 4.2, (240, 240, 236))
    return Texture(_quartered(image), (1.0, 1.0))


def _write(image: np.ndarray, words: str, place: tuple[int, int], scale: float, color: tuple) -> None:
    """Write words with their lower left corner at `place`."""
    font = dict(fontFace=cv2.FONT_HERSHEY_DUPLEX, fontScale=scale)
    cv2.putText(image, words, place, **font, color=color, thickness=10, lineType=cv2.LINE_AA)


def _traffic_light() -> Texture:
    """The lamps of a traffic light, green lit."""
    image = np.full((512, 256, 3), (30, 32, 32), np.uint8)
    for y, color in ((96, (70, 20, 18)), (256, (74, 60, 16)), (416, (40, 230, 120))):
        cv2.circle(image, (128, y), 60, color, -1)
    return Texture(_quartered(image), (1.0, 1.0))


def railing_texture() -> Texture:
    """White bars between two rails, to be tinted."""
    alpha = np.zeros((256, 512), np.uint8)
    for x in range(12, 512, 32):
        alpha[20:, x : x + 7] = 255
    alpha[24:40] = 255
    alpha[216:230] = 255
    return Texture(np.full((64, 128, 3), 255, np.uint8), (2.2, 1.1), _quartered(alpha))


def _quartered(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
