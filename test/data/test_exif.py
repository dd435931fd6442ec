# SPDX-License-Identifier: Apache-2.0
"""EXIF data of image files: orientation and field of view, in every format that holds them."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from small_sources import read

from monodepth_ros.data.calibration import write_calibration
from monodepth_ros.data.exif import read_exif
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.geometry.camera import CameraModel

SHORT, LONG, RATIONAL = 3, 4, 5


def tiff_block(orientation=1, taken=(), order="<"):
    """The TIFF structure of EXIF data. taken: (tag, type, value) of the folder about the exposure."""
    start = 8 + 2 + 2 * 12 + 4
    folder = struct.pack(order + "HHHIHH", 2, 0x0112, SHORT, 1, orientation, 0)
    folder += struct.pack(order + "HHIII", 0x8769, LONG, 1, start, 0)
    values, place = b"", start + 2 + 12 * len(taken) + 4
    inside = struct.pack(order + "H", len(taken))
    for tag, kind, value in taken:
        if kind == RATIONAL:
            inside += struct.pack(order + "HHII", tag, kind, 1, place + len(values))
            values += struct.pack(order + "II", *value)
        else:
            inside += struct.pack(order + "HHI", tag, kind, 1) + struct.pack(
                order + ("HH" if kind == SHORT else "I"), *value
            )
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    return head + folder + inside + b"\0\0\0\0" + values


def jpeg(image, block):
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    content = b"Exif\0\0" + block
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content + data[2:]


def png(image, block):
    data = cv2.imencode(".png", image)[1].tobytes()
    chunk = b"eXIf" + block
    return data[:33] + struct.pack(">I", len(block)) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[33:]


def webp(image, block):
    data = cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()
    height, width = image.shape[:2]
    sizes = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    content = b"WEBPVP8X" + struct.pack("<IB3x", 10, 8) + sizes + data[12:]
    content += b"EXIF" + struct.pack("<I", len(block)) + block
    return b"RIFF" + struct.pack("<I", len(content)) + content


def tiff(image, orientation):
    """An uncompressed TIFF, grey or colour."""
    height, width = image.shape[:2]
    channels = 1 if image.ndim == 2 else 3
    pixels = (image if channels == 1 else image[..., ::-1]).tobytes()
    start = 8 + len(pixels)
    tags = {
        256: (LONG, width), 257: (LONG, height), 258: (SHORT, 8), 259: (SHORT, 1),
        262: (SHORT, 1 if channels == 1 else 2), 273: (LONG, 8), 274: (SHORT, orientation), 277: (SHORT, channels),
        278: (LONG, height), 279: (LONG, len(pixels)),
    }  # fmt: skip
    folder, bits = struct.pack("<H", len(tags)), struct.pack("<3H", 8, 8, 8)
    for tag, (kind, value) in tags.items():
        if tag == 258 and channels == 3:
            folder += struct.pack("<HHII", tag, SHORT, 3, start + 2 + 12 * len(tags) + 4)
        else:
            folder += struct.pack("<HHII", tag, kind, 1, value)
    return b"II*\0" + struct.pack("<I", start) + pixels + folder + b"\0\0\0\0" + bits


def corners(grey=False):
    """An image (40, 64) whose corners differ."""
    image = np.zeros((40, 64, 3), np.uint8)
    image[:20, :32], image[:20, 32:], image[20:, :32] = (250,) * 3, (0, 0, 200), (60, 60, 60)
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if grey else image


# What EXIF's orientations do to a stored image so that it stands upright (CIPA DC-008, table of tag 274).
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, -1)[:, ::-1][::-1, ::-1],
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("grey", [False, True], ids=["colour", "grey"])
@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif"])
def test_images_of_every_format_stand_upright_when_read_and_read_again(tmp_path, kind, grey):
    if kind == "webp" and grey:
        pytest.skip("WebP has no grey images")
    image = corners(grey)
    for orientation, turn in UPRIGHT.items():
        folder = tmp_path / f"{orientation}"
        folder.mkdir()
        make = {"jpg": jpeg, "png": png, "webp": webp}.get(kind)
        data = tiff(image, orientation) if make is None else make(image, tiff_block(orientation))
        (folder / f"image.{kind}").write_bytes(data)
        with open_source(str(folder)) as source:
            (frame,) = source.frames()
            again = source.read(frame.stamp_ns, frame.received_ns).array
        expected = turn(image)
        assert frame.pixels.array.shape == expected.shape, (orientation, frame.pixels.array.shape)
        error = np.abs(frame.pixels.array.astype(int) - expected)
        # JPEG blurs colours over the border between the corners.
        assert np.median(error) <= 2 and (error > 60).mean() < 0.05, (orientation, error.mean())
        np.testing.assert_array_equal(again, frame.pixels.array)


def test_an_upright_image_is_compared_with_the_size_of_the_calibration(tmp_path):
    (tmp_path / "0.jpg").write_bytes(jpeg(corners(), tiff_block(6)))
    write_calibration(tmp_path / "camera.yaml", CameraModel.pinhole(64, 40, 50.0, 50.0, 31.5, 19.5), "camera")
    source, frames = read(tmp_path)
    (reason,) = source.left_out
    assert not frames and "image of 40x64" in reason and "64x40" in reason and "upright" in reason, reason
    write_calibration(tmp_path / "camera.yaml", CameraModel.pinhole(40, 64, 50.0, 50.0, 19.5, 31.5), "camera")
    source, (frame,) = read(tmp_path)
    assert frame.camera.is_calibrated and source.is_calibrated and not source.notes


@pytest.mark.parametrize("order", ["<", ">"], ids=["Intel", "Motorola"])
def test_the_field_of_view_follows_from_the_focal_length_on_35_mm_film(tmp_path, order):
    block = tiff_block(6, [(0xA405, SHORT, (26, 0))], order)
    (tmp_path / "photo.jpg").write_bytes(jpeg(np.zeros((300, 400, 3), np.uint8), block))
    source, (frame,) = read(tmp_path)
    # The diagonal of 500 pixels stands for that of the film, 43.27 mm; the image is 300 wide when upright.
    focal = 26 * 500 / np.hypot(36, 24)
    assert frame.camera.assumed().fx == pytest.approx(focal, rel=1e-6)
    assert frame.camera.field_of_view == pytest.approx(np.degrees(2 * np.arctan(150 / focal)))
    assert not frame.camera.is_calibrated and not source.is_calibrated
    assert "53 degrees (by the EXIF data of photo.jpg)" in source.notes[0], source.notes
    stated, (frame,) = read(tmp_path, field_of_view=70.0)
    assert frame.camera.field_of_view == 70 and "70 degrees (as stated)" in stated.notes[0]


def test_the_field_of_view_follows_from_the_focal_length_and_the_sensor_s_resolution():
    taken = [(0x920A, RATIONAL, (42, 10)), (0xA20E, RATIONAL, (20000, 2)), (0xA210, SHORT, (3, 0))]
    exif = read_exif(jpeg(corners(), tiff_block(1, taken)))
    assert exif.field_of_view(4000, 3000) == pytest.approx(np.degrees(2 * np.arctan(2000 / 4200)))


def test_images_without_a_usable_focal_length_get_the_guess(tmp_path):
    for taken in ([], [(0xA405, SHORT, (0, 0))], [(0xA405, SHORT, (65535, 0))], [(0x920A, RATIONAL, (42, 0))]):
        assert read_exif(jpeg(corners(), tiff_block(1, taken))).field_of_view(640, 480) == 0
    (tmp_path / "0.png").write_bytes(png(corners(), tiff_block()))
    source, (frame,) = read(tmp_path)
    assert frame.camera.field_of_view == 60 and "60 degrees" in source.notes[0]
    assert "--calibration FILE" in source.notes[0] and "monodepth calibrate" in source.notes[0]


def test_damaged_exif_data_is_ignored():
    whole = jpeg(corners(), tiff_block(6, [(0xA405, SHORT, (26, 0))]))
    assert read_exif(whole).orientation == 6
    rng = np.random.default_rng(0)
    for length in range(0, 120, 3):
        assert read_exif(whole[:length]).orientation in range(1, 9)
        spoilt = bytearray(whole)
        spoilt[20:120] = rng.integers(0, 256, 100, np.uint8).tobytes()
        assert read_exif(bytes(spoilt)).orientation in range(1, 9)
