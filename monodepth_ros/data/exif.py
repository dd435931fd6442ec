# SPDX-License-Identifier: Apache-2.0
"""EXIF data of an image file: which way is up, and how wide the lens sees.

Reads the TIFF structure of CIPA DC-008 (EXIF 2.32) from JPEG, PNG, WebP and TIFF files.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from monodepth_ros.geometry.field_of_view import field_of_view

ORIENTATION, EXIF_FOLDER = 0x0112, 0x8769
FOCAL_LENGTH, FOCAL_LENGTH_35MM = 0x920A, 0xA405
PLANE_RESOLUTION, PLANE_UNIT = 0xA20E, 0xA210
# Format of a value by its TIFF type: BYTE, SHORT, LONG; 5, RATIONAL, is two of LONG.
FORMATS = {1: "B", 3: "H", 4: "I", 5: "II"}
MILLIMETRES = {2: 25.4, 3: 10.0, 4: 1.0}  # per unit of PLANE_UNIT: inch, centimetre, millimetre
DIAGONAL_35MM = math.hypot(36.0, 24.0)  # [mm]
NARROWEST, WIDEST = 1.0, 170.0  # a field of view beyond these [degrees] is a mistake of the camera


@dataclass(frozen=True)
class Exif:
    """What an image file says about its camera; the defaults stand for what it does not say.

    orientation: 1 to 8 as in EXIF, 1 is upright. focal_35mm: focal length of a lens on 35 mm film with the same
    diagonal field of view [mm]. focal_mm: focal length [mm]. pixels_per_mm: of the sensor, at the size of the image.
    """

    orientation: int = 1
    focal_35mm: float = 0.0
    focal_mm: float = 0.0
    pixels_per_mm: float = 0.0

    def upright(self, array: np.ndarray) -> np.ndarray:
        """The image (H, W) or (H, W, C), as it is stored, turned upright."""
        if self.orientation == 1:
            return array
        if self.orientation >= 5:
            array = array.swapaxes(0, 1)
        if self.orientation in (3, 4, 7, 8):
            array = array[::-1]
        if self.orientation in (2, 3, 6, 7):
            array = array[:, ::-1]
        return np.ascontiguousarray(array)

    def field_of_view(self, width: int, height: int) -> float:
        """Horizontal field of view [degrees] of the upright image of this size [pixels]; 0 if the file does not say."""
        focal = self.focal_35mm * math.hypot(width, height) / DIAGONAL_35MM or self.focal_mm * self.pixels_per_mm
        angle = field_of_view(width, focal) if focal > 0 else 0.0
        return angle if NARROWEST <= angle <= WIDEST else 0.0


def read_exif(data: bytes) -> Exif:
    """EXIF data of an image file's content. Never raises: what is missing or damaged keeps its default."""
    try:
        return _parse(_tiff_block(data))
    except (struct.error, IndexError, ValueError):
        return Exif()


def _tiff_block(data: bytes) -> bytes:
    """The TIFF structure in an image file, empty without one."""
    if data[:4] in (b"II*\0", b"MM\0*"):
        return data
    blocks: Iterator[bytes] = iter(())
    if data[:2] == b"\xff\xd8":
        blocks = _jpeg_blocks(data)
    elif data[:8] == b"\x89PNG\r\n\x1a\n":
        blocks = _chunks(data, 8, ">I4s", b"eXIf", trailer=4, alignment=1)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        blocks = _chunks(data, 12, "<4sI", b"EXIF", trailer=0, alignment=2)
    return next(blocks, b"")


def _jpeg_blocks(data: bytes) -> Iterator[bytes]:
    """Contents of the APP1 segments that hold EXIF data."""
    place = 2
    while data[place] == 0xFF and data[place + 1] not in (0xDA, 0xD9):  # image data, end
        (length,) = struct.unpack_from(">H", data, place + 2)
        if data[place + 1] == 0xE1 and data[place + 4 : place + 10] == b"Exif\0\0":
            yield data[place + 10 : place + 2 + length]
        place += 2 + length


def _chunks(data: bytes, place: int, header: str, name: bytes, trailer: int, alignment: int) -> Iterator[bytes]:
    """Contents of a PNG's or a WebP's chunks of this name."""
    while place + 8 <= len(data):
        one, other = struct.unpack_from(header, data, place)
        kind, length = (one, other) if isinstance(one, bytes) else (other, one)
        if kind == name:
            yield data[place + 8 : place + 8 + length].removeprefix(b"Exif\0\0")
        place += 8 + length + length % alignment + trailer


def _parse(block: bytes) -> Exif:
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return Exif()
    (place,) = struct.unpack_from(order + "I", block, 4)
    image = _values(block, order, place)
    taken = _values(block, order, int(image[EXIF_FOLDER])) if EXIF_FOLDER in image else {}
    orientation = int(image.get(ORIENTATION, 1))
    unit = MILLIMETRES.get(int(taken.get(PLANE_UNIT, 2)), 0.0)
    return Exif(
        orientation=orientation if 1 <= orientation <= 8 else 1,
        focal_35mm=taken.get(FOCAL_LENGTH_35MM, 0.0),
        focal_mm=taken.get(FOCAL_LENGTH, 0.0),
        pixels_per_mm=taken.get(PLANE_RESOLUTION, 0.0) / unit if unit else 0.0,
    )


def _values(block: bytes, order: str, place: int) -> dict[int, float]:
    """The first number of each entry of a TIFF folder (IFD), by tag; entries of other types are left out."""
    found: dict[int, float] = {}
    (count,) = struct.unpack_from(order + "H", block, place)
    for entry in range(place + 2, place + 2 + 12 * count, 12):
        tag, kind = struct.unpack_from(order + "HH", block, entry)
        if kind in FORMATS:
            at = entry + 8 if kind != 5 else struct.unpack_from(order + "I", block, entry + 8)[0]
            number, *divisor = struct.unpack_from(order + FORMATS[kind], block, at)
            if divisor != [0]:
                found[tag] = number / divisor[0] if divisor else float(number)
    return found
