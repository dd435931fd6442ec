# SPDX-License-Identifier: Apache-2.0
"""Compressed depth images of every form decode to metres; damaged ones are refused."""

import tracemalloc
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from monodepth_ros.data.depth.compressed_depth import HEADER, decode_compressed_depth
from monodepth_ros.data.depth.rvl import decode_rvl, encode_rvl
from monodepth_ros.data.images.image_codec import ImageError


def rvl(counts):
    """RVL as in the listing of Wilson 2017, one number after the other."""
    nibbles = []

    def put(value):
        while value > 7:
            nibbles.append(value & 7 | 8)
            value >>= 3
        nibbles.append(value)

    flat, pixel, before = [int(count) for count in counts.ravel()], 0, 0
    while pixel < len(flat):
        first = next((i for i in range(pixel, len(flat)) if flat[i]), len(flat))
        end = next((i for i in range(first, len(flat)) if not flat[i]), len(flat))
        put(first - pixel)
        put(end - first)
        for value in flat[first:end]:
            put((value - before) << 1 ^ (value - before) >> 63)
            before = value
        pixel = end
    nibbles += [0] * (-len(nibbles) % 8)
    words = [sum(n << 28 - 4 * k for k, n in enumerate(nibbles[i : i + 8])) for i in range(0, len(nibbles), 8)]
    return np.array([*counts.shape[::-1], *words], "<u4").view(np.uint8)


def test_rvl_with_holes_decodes_exactly():
    draw = np.random.default_rng(0)
    counts = draw.integers(1, 20000, (9, 13)).astype(np.uint16)
    counts[draw.random(counts.shape) < 0.4] = 0
    np.testing.assert_array_equal(decode_rvl(rvl(counts)), counts)
    header = np.zeros(12, np.uint8)
    message = SimpleNamespace(format="16UC1; compressedDepth rvl", data=np.concatenate((header, rvl(counts))))
    np.testing.assert_allclose(decode_compressed_depth(message), np.where(counts, counts / 1000, np.nan), rtol=1e-6)


@pytest.mark.parametrize(
    ("format", "data", "reason"),
    [
        ("16UC1; compressedDepth rvl", np.zeros(12 + 8, np.uint8), "empty RVL"),
        ("16UC1; compressedDepth rvl", rvl(np.ones((40, 40), np.uint16))[:-8], "ends after|damaged"),
        ("16UC1; compressedDepth png", np.ones(40, np.uint8), "not a readable JPEG, PNG"),
        ("bgr8; compressedDepth png", np.ones(40, np.uint8), "expected 16UC1 or 32FC1"),
        ("16UC1; compressedDepth png", np.zeros(0, np.uint8), "0 bytes"),
    ],
)
def test_damaged_data_is_refused_in_one_line(format, data, reason):
    if data.size > 20 and "rvl" in format:
        data = np.concatenate((np.zeros(12, np.uint8), data))
    message = SimpleNamespace(format=format, data=data)
    with pytest.raises(ImageError, match=reason) as caught:
        decode_compressed_depth(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.4, 0.97, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (30, 41)])
def test_rvl_is_written_as_the_paper_lists_it(shape, share):
    draw = np.random.default_rng(1)
    counts = draw.integers(1, 65536, shape).astype(np.uint16)
    counts[draw.random(shape) < share] = 0
    written = encode_rvl(counts)
    np.testing.assert_array_equal(decode_rvl(written), counts)
    expected = rvl(counts)
    np.testing.assert_array_equal(written, expected)


@pytest.mark.parametrize("size", [(2**31, 2**31), (2**16, 2**16)])
def test_an_rvl_image_of_an_impossible_size_is_refused(size):
    with pytest.raises(ImageError, match="the data is damaged"):
        decode_rvl(np.concatenate((np.array(size, "<u4").view(np.uint8), np.zeros(40, np.uint8))))


def test_an_rvl_run_longer_than_the_image_is_refused():
    data = rvl(np.ones((4, 10), np.uint16))
    data[:8] = np.array((3, 3), "<u4").view(np.uint8)
    with pytest.raises(ImageError, match="3x3 pixels with runs of another length"):
        decode_rvl(data)


COUNTS = np.array([[0, 1500], [800, 65535]], np.uint16)


@pytest.mark.parametrize("extension", [".png", ".tiff"])
@pytest.mark.parametrize("form", ["16UC1; {} compressed ", "mono16; {} compressed ", "{}", ""])
def test_depth_through_the_compressed_transport_is_in_millimetres(form, extension):
    data = cv2.imencode(extension, COUNTS)[1].reshape(-1)
    decoded = decode_compressed_depth(SimpleNamespace(format=form.format(extension[1:]), data=data))
    np.testing.assert_allclose(decoded, [[np.nan, 1.5], [0.8, 65.535]], rtol=1e-6)


def test_a_tiff_of_metres_keeps_them():
    metres = np.array([[np.nan, 1.5], [0.25, 80.0]], np.float32)
    data = cv2.imencode(".tiff", metres)[1].reshape(-1)
    decoded = decode_compressed_depth(SimpleNamespace(format="32FC1; tiff compressed ", data=data))
    np.testing.assert_array_equal(decoded, metres)


@pytest.mark.parametrize(
    "form", ["16UC1; compressedDepth", "16UC1; compressedDepth png", "16uc1; compresseddepth", "png"]
)
def test_the_header_of_compressed_depth_is_found_whatever_the_format_is_called(form):
    data = np.concatenate((np.zeros(12, np.uint8), cv2.imencode(".png", COUNTS)[1].reshape(-1)))
    decoded = decode_compressed_depth(SimpleNamespace(format=form, data=data))
    np.testing.assert_allclose(decoded, [[np.nan, 1.5], [0.8, 65.535]], rtol=1e-6)


@pytest.mark.parametrize("size", [(1 << 16, 1 << 15), (1 << 32 - 1, 1 << 32 - 1), (8192, 8192), (1 << 20, 1)])
def test_an_rvl_image_that_claims_a_huge_size_takes_no_memory(size):
    content = np.concatenate((np.array(size, "<u4").view(np.uint8), np.zeros(400, np.uint8)))
    tracemalloc.start()
    with pytest.raises(ImageError, match=f"RVL depth of {size[0]}x{size[1]} pixels in 408 bytes: the data is damaged"):
        decode_rvl(content)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("fill", [0x00, 0x08, 0x77, 0x80, 0x88, 0xFF])
def test_rvl_of_runs_that_lead_nowhere_ends(fill):
    """Runs without a pixel, and numbers that never end or are larger than an image."""
    head = np.array([700, 500], "<u4").view(np.uint8)
    with pytest.raises(ImageError, match="ends after|damaged"):
        decode_rvl(np.concatenate((head, np.full(4000, fill, np.uint8))))


def test_padding_behind_an_rvl_image_does_not_count():
    counts = np.arange(1, 61, dtype=np.uint16).reshape(6, 10)
    for fill in (0, 255):
        padded = np.concatenate((encode_rvl(counts), np.full(100_000, fill, np.uint8)))
        np.testing.assert_array_equal(decode_rvl(padded), counts)


@pytest.mark.parametrize(("a", "b"), [(np.nan, 0.0), (np.inf, 1.0), (-5.0, 0.0), (1e38, 1e38), (1.0, 2.0)])
def test_depth_of_lying_parameters_is_never_negative(a, b):
    picture = cv2.imencode(".png", np.array([[0, 1, 2, 65535]], np.uint16))[1].ravel()
    header = np.frombuffer(HEADER.pack(0, a, b), np.uint8)
    source = SimpleNamespace(format="32FC1; compressedDepth png", data=np.concatenate((header, picture)))
    depth = decode_compressed_depth(source)
    assert np.isnan(depth[0, 0]) and (np.isnan(depth) | (depth > 0)).all()
