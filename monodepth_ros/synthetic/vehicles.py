# SPDX-License-Identifier: Apache-2.0
"""Cars: bodies of some twenty polygons whose panels are painted with windows, lights, wheels and seams."""

from dataclasses import dataclass

import cv2
import numpy as np

from monodepth_ros.synthetic.atlas import Texture
from monodepth_ros.synthetic.mesh import join, quad
from monodepth_ros.synthetic.noise import to_pixels
from monodepth_ros.synthetic.vehicle_shapes import Shape

PAINTS = (
    (196, 198, 202), (44, 46, 50), (228, 228, 226), (120, 126, 134), (36, 58, 104), (140, 28, 30),
    (86, 92, 96), (60, 84, 74), (168, 150, 120), (104, 34, 44), (30, 92, 132), (190, 120, 40),
)  # fmt: skip
SILL = 0.22  # metres above the ground
FRONT_CORNER, REAR_CORNER = 0.32, 0.14  # metres over which the body's ends are narrower
GLASS = np.array((44, 52, 58), np.float32)
RUBBER = (26, 26, 28)


@dataclass(frozen=True)
class CarTextures:
    """Texture numbers of a painted car."""

    shape: Shape
    side: int
    windows: int
    front: int
    rear: int
    glass: int
    paint: int


def car_textures(rng: np.random.Generator, shape: Shape, paint: tuple[float, float, float]) -> list[Texture]:
    """The textures of `CarTextures`, in its order; that of the side is cut out along the outline of the body."""
    color = np.array(paint, np.float32)
    side, outline = _side(shape, color)
    panel = np.empty((16, 16, 3), np.float32)
    panel[:] = color
    return [
        Texture(side, (shape.length, shape.belt), outline),
        Texture(_windows(shape, color), (1.0, 1.0)),
        Texture(_end(rng, color, front=True), (shape.width, shape.bonnet)),
        Texture(_end(rng, color, front=False), (shape.width, shape.boot)),
        Texture(_screen(color), (1.0, 1.0)),
        Texture(to_pixels(panel), (1.0, 1.0)),
    ]


def car(textures: CarTextures) -> np.ndarray:
    """The car at the origin, driving along x, wheels on z = 0."""
    shape = textures.shape
    rear, front = -shape.length / 2, shape.length / 2
    w, roof_w = shape.width / 2, shape.width / 2 * 0.78
    belt, roof = shape.belt, shape.height
    screen = [x + rear for x in shape.windscreen]
    window = [x + rear for x in shape.rear_window]
    nose, tail = front - FRONT_CORNER, rear + REAR_CORNER  # x at which the body begins to taper
    front_w, rear_w = w * 0.84, w * 0.9
    nose_height = belt + (shape.bonnet - belt) * (nose - screen[0]) / (front - screen[0])
    meshes = []
    for side in (-1, 1):
        outline = [(rear, rear_w), (tail, w), (nose, w), (front, front_w)]
        for start, end in zip(outline, outline[1:], strict=False):
            meshes.append(_side_panel(textures, start, end, side))
        upper = [(window[0], w * 0.97, belt), (screen[0], w * 0.97, belt)]
        upper += [(screen[1], roof_w, roof), (window[1], roof_w, roof)]
        corners = [(x, side * y, z) for x, y, z in (upper if side < 0 else [upper[i] for i in (1, 0, 3, 2)])]
        panel = quad(corners, textures.windows)
        panel["origin"], panel["across"] = (
            (window[0], side * w * 0.97, belt),
            (1 / (screen[0] - window[0]), 0, 0),
        )
        meshes.append(panel)
    paint = textures.paint
    nose_edge = (nose, nose_height, w)
    meshes += [
        _panel_across((front, SILL, front_w), (front, shape.bonnet, front_w), textures.front),
        _panel_across((front, shape.bonnet, front_w), nose_edge, paint),
        _panel_across(nose_edge, (screen[0], belt, w), paint),
        _panel_across((screen[0], belt, w * 0.97), (screen[1], roof, roof_w), textures.glass),
        _panel_across((screen[1], roof, roof_w), (window[1], roof, roof_w), paint),
        _panel_across((window[0], belt, w * 0.97), (window[1], roof, roof_w), textures.glass),
    ]
    if window[0] > tail:
        boot_edge = (tail, shape.boot, w)
        meshes.append(_panel_across((window[0], belt, w), boot_edge, paint))
        meshes.append(_panel_across(boot_edge, (rear, shape.boot, rear_w), paint))
    back = [(rear, rear_w, SILL), (rear, -rear_w, SILL), (rear, -rear_w, belt), (rear, rear_w, belt)]
    meshes.append(quad(back, textures.rear))
    return join(*meshes)


def _panel_across(first: tuple[float, float, float], last: tuple[float, float, float], texture: int) -> np.ndarray:
    """A panel across the car between two edges (x, z, half width), seen from outside.

    The first edge is the lower or the front one, the last edge the upper or the rear one.
    """
    (x0, z0, w0), (x1, z1, w1) = first, last
    direction = 1 if x0 >= x1 else -1
    corners = [(x0, -w0, z0), (x0, w0, z0), (x1, w1, z1), (x1, -w1, z1)]
    return quad([(x, direction * y, z) for x, y, z in corners], texture)


def _side_panel(textures: CarTextures, start: tuple[float, float], end: tuple[float, float], side: int) -> np.ndarray:
    """A piece of the body's side between two points (x, half width) of its outline.

    Its texture is the whole side in parallel projection.
    """
    shape = textures.shape
    (x0, w0), (x1, w1) = start, end
    a, b = (x0, side * w0), (x1, side * w1)
    if side > 0:
        a, b = b, a
    panel = quad([(*a, 0), (*b, 0), (*b, shape.belt), (*a, shape.belt)], textures.side)
    panel["origin"], panel["across"] = (-shape.length / 2, 0, 0), (1 / shape.length, 0, 0)
    return panel


def _side(shape: Shape, color: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The body below the windows with both wheels: (64, 256, 3) pixels and their outline."""
    width, height, fine = 256, 64, 4
    sx, sz = width * fine / shape.length, height * fine / shape.belt

    def at(x, z):
        return int(x * sx), int(height * fine - z * sz)

    z = np.linspace(shape.belt, 0, height * fine, dtype=np.float32)[:, None, None]
    # Light from above on the shoulder, reflection of the ground below.
    relief = 0.82 + 0.3 * np.exp(-np.square((z - shape.belt * 0.86) / 0.1)) - 0.22 * np.clip(0.45 - z, 0, 1)
    image = np.ascontiguousarray(np.broadcast_to(color * relief, (height * fine, width * fine, 3)), np.float32)
    outline = np.zeros(image.shape[:2], np.uint8)
    bonnet_start = shape.windscreen[0]
    body = [
        (0.0, 0.34),
        (0.06, 0.24),
        (shape.length - 0.12, 0.22),
        (shape.length, 0.36),
        (shape.length, shape.bonnet - 0.06),
        (shape.length - 0.1, shape.bonnet),
        (bonnet_start, shape.belt + 0.02),
        (shape.rear_window[0], shape.belt + 0.02),
        (0.02, shape.boot),
    ]
    cv2.fillPoly(outline, [np.array([at(x, zz) for x, zz in body])], 255)
    line = tuple(map(float, color * 0.5))
    doors = np.linspace(shape.rear_window[0] + 0.5, bonnet_start + 0.1, 3)
    for x in doors:
        cv2.line(image, at(x, 0.28), at(x, shape.belt), line, fine)
    for x in doors[:2]:
        a, b = at(x + 0.1, shape.belt * 0.82), at(x + 0.28, shape.belt * 0.79)
        cv2.rectangle(image, a, b, tuple(map(float, color * 0.6)), -1)
    cv2.rectangle(image, at(0, shape.belt), at(shape.length, shape.belt - 0.035), line, -1)
    cv2.rectangle(image, at(0, 0.34), at(shape.length, 0.2), tuple(map(float, color * 0.35 + 12)), -1)
    cv2.rectangle(image, at(shape.length - 0.32, shape.bonnet - 0.05), at(shape.length, shape.bonnet - 0.19),
                  (222.0, 224.0, 214.0), -1)  # fmt: skip
    cv2.rectangle(image, at(0, shape.boot - 0.08), at(0.22, shape.boot - 0.28), (150.0, 22.0, 22.0), -1)
    for x in shape.wheels:
        for radius, tone in ((1.18, 18), (1.0, RUBBER[0]), (0.66, 150), (0.58, 96), (0.16, 60)):
            axes = (int(radius * shape.wheel_radius * sx), int(radius * shape.wheel_radius * sz))
            ellipse = dict(center=at(x, shape.wheel_radius), axes=axes, angle=0, startAngle=0, endAngle=360)
            cv2.ellipse(image, **ellipse, color=(float(tone),) * 3, thickness=-1)
        for angle in np.arange(5) * 2 * np.pi / 5 + 0.3:
            r = 0.56 * shape.wheel_radius
            tip = (x + r * np.cos(angle), shape.wheel_radius + r * np.sin(angle))
            cv2.line(image, at(x, shape.wheel_radius), at(*tip), (168.0,) * 3, 2 * fine)
        tyre = (int(shape.wheel_radius * sx), int(shape.wheel_radius * sz))
        ellipse = dict(center=at(x, shape.wheel_radius), axes=tyre, angle=0, startAngle=0, endAngle=360)
        cv2.ellipse(outline, **ellipse, color=255, thickness=-1)
    return _halved(image), cv2.resize(outline, (width, height), interpolation=cv2.INTER_AREA)


def _windows(shape: Shape, color: np.ndarray) -> np.ndarray:
    """The side windows (32, 128, 3) seen from the right, with the rear on the left."""
    image = np.empty((128, 512, 3), np.float32)
    image[:] = color * 0.92
    length = shape.windscreen[0] - shape.rear_window[0]
    x0, x1 = (
        (shape.rear_window[1] - shape.rear_window[0]) / length,
        (shape.windscreen[1] - shape.rear_window[0]) / length,
    )
    pane = np.array([(0.05, 0.95), (0.95, 0.95), (x1 - 0.01, 0.14), (x0 + 0.03, 0.14)]) * (512, 128)
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [pane.astype(int)], 255)
    for share in shape.pillars:
        x = int((x0 + (x1 - x0) * share) * 512)
        cv2.rectangle(mask, (x - 8, 0), (x + 8, 128), 0, -1)
    y = np.linspace(0, 1, 128, dtype=np.float32)[:, None, None]
    glass = GLASS * 0.8 + (np.array((140, 156, 170), np.float32) - GLASS) * np.clip(0.6 - y, 0, 1)
    image += (glass - image) * (mask[..., None] / np.float32(255))
    return _halved(image)


def _screen(color: np.ndarray) -> np.ndarray:
    """Windscreen or rear window between its pillars (32, 64, 3)."""
    image = np.empty((128, 256, 3), np.float32)
    image[:] = color * 0.95
    y = np.linspace(0, 1, 128, dtype=np.float32)[:, None, None]
    x = np.linspace(0, 1, 256, dtype=np.float32)[None, :, None]
    glass = GLASS * (0.8 + 0.3 * y) + (np.array((170, 184, 196), np.float32) - GLASS) * np.clip(0.62 - 0.95 * y, 0, 1)
    glass = glass + np.clip(1 - np.abs(x + 0.5 * y - 0.75) * 6, 0, 1) * 14  # a gleam
    for center in (0.27, 0.73):  # headrests
        glass = glass - 16 * np.exp(-np.square((x - center) / 0.06) - np.square((y - 0.62) / 0.16))
    image[10:120, 16:240] = glass[10:120, 16:240]
    image[116:120, 16:240] = 30
    return _halved(image)


def _end(rng: np.random.Generator, color: np.ndarray, front: bool) -> np.ndarray:
    """The front or the rear (32, 64, 3), seen straight on."""
    image = np.empty((128, 256, 3), np.float32)
    image[:] = color * np.linspace(1.0, 0.72, 128)[:, None, None]
    image[104:] = color * 0.3 + 14
    if front:
        image[34:58, 70:186] = 30
        image[44:48, 70:186] = 120
        image[76:98, 60:196] = 36
        lamp, rows = (226, 228, 220), slice(18, 48)
    else:
        image[10:12, 20:236] = color * 0.5
        lamp, rows = (158, 24, 24), slice(22, 62)
    image[rows, 10:58] = lamp
    image[rows, 198:246] = lamp
    image[66:82, 92:164] = (228, 228, 220)
    for x in range(98, 158, 10):
        image[70:78, x : x + 6] = rng.uniform(20, 60)
    return _halved(image)


def _halved(image: np.ndarray) -> np.ndarray:
    return to_pixels(cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA))
