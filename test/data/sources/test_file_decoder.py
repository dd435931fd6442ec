# SPDX-License-Identifier: Apache-2.0
"""Image files of 16 bits, mosaics and damaged ones are read as the compressed images of a recording."""

import cv2
import numpy as np
import pytest

from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceOptions

GRAY = np.add.outer(np.arange(24), 4 * np.arange(32)).astype(np.uint8) + 60
BITS = "the 16-bit images use 12 bits: stretched by 16"


def folder_of(path, images, suffix="png"):
    path.mkdir()
    for i, image in enumerate(images):
        data = image if isinstance(image, bytes) else cv2.imencode(f".{suffix}", image)[1].tobytes()
        (path / f"{i:03d}.{suffix}").write_bytes(data)
    return path


def read(folder, **options):
    with open_source(str(folder), SourceOptions(rate=10.0, **options)) as source:
        frames = list(source.frames())
        again = [source.read(frame.stamp_ns, frame.received_ns).array for frame in frames]
    for frame, array in zip(frames, again):
        np.testing.assert_array_equal(frame.pixels.array, array)
    return source, [frame.pixels for frame in frames]


@pytest.mark.parametrize("suffix", ["png", "tif", "pgm"])
def test_files_of_16_bits_are_stretched_by_the_bits_in_use(tmp_path, suffix):
    images = [GRAY.astype(np.uint16) << 4] * 3
    source, pixels = read(folder_of(tmp_path / "a", images, suffix))
    assert all(np.abs(found.array.astype(int) - GRAY).max() <= 1 for found in pixels)
    assert BITS in source.notes


def test_the_colours_of_16_bit_files_stay(tmp_path):
    image = np.dstack([GRAY, GRAY // 2, GRAY // 3])
    _, (found,) = read(folder_of(tmp_path / "a", [image.astype(np.uint16) << 4]))
    assert found.layout == "bgr" and np.abs(found.array.astype(int) - image).max() <= 1


def test_every_part_of_a_folder_is_stretched_alike(tmp_path):
    dark, bright = GRAY.astype(np.uint16), GRAY.astype(np.uint16) << 4
    folder = folder_of(tmp_path / "a", [dark] * 4 + [bright] * 4)
    _, whole = read(folder)
    for start in (0.0, 0.5):
        source, part = read(folder, start=start, duration=0.2)
        np.testing.assert_array_equal(part[0].array, whole[round(10 * start)].array)
        assert source.notes.count(BITS) == 1
    assert whole[0].array.max() < 16 < whole[-1].array.max()


def test_a_stated_range_holds_for_files(tmp_path):
    folder = folder_of(tmp_path / "a", [GRAY.astype(np.uint16) + 7000])
    source, (found,) = read(folder, intensity_range="7000:7255")
    np.testing.assert_array_equal(found.array, GRAY)
    assert not any("16-bit" in note for note in source.notes)
    source, _ = read(folder)
    assert any("little contrast: --intensity-range" in note for note in source.notes)


@pytest.mark.parametrize("bits", [8, 12])
def test_a_mosaic_in_files_is_read_by_the_stated_pattern(tmp_path, bits):
    mosaic = np.full((24, 32), 90, np.uint8)
    mosaic[0::2, 0::2], mosaic[1::2, 1::2] = 200, 40
    image = mosaic if bits == 8 else mosaic.astype(np.uint16) << 4
    folder = folder_of(tmp_path / "a", [image])
    _, (found,) = read(folder, encoding="bayer_rggb8")
    assert found.layout == "rgb" and np.abs(found.array[4:-4, 4:-4].astype(int) - (200, 90, 40)).max() <= 1
    source, (found,) = read(folder)
    assert found.layout == "mono" and any("look like the mosaic of a colour camera" in note for note in source.notes)


def test_damaged_files_are_left_out_with_their_names(tmp_path):
    whole = cv2.imencode(".jpg", GRAY)[1].tobytes()
    folder = folder_of(tmp_path / "a", [whole, whole[:-40], b""], "jpg")
    source, pixels = read(folder)
    first, second = source.left_out
    assert len(pixels) == 1 and "001.jpg: compressed image" in first and "truncated JPEG" in first
    assert "002.jpg" in second and "(0 bytes)" in second
    floats = folder_of(tmp_path / "b", [np.float32(GRAY)], "tif")
    source, _ = read(floats)
    (reason,) = source.left_out
    assert "holds float32 values, expected 8 or 16 bits" in reason
