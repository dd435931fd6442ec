# SPDX-License-Identifier: Apache-2.0
"""Compressed depth images of every form decode to metres; damaged ones are refused."""

from types import SimpleNamespace

import numpy as np
import pytest

from monodepth_ros.data.compressed_depth import decode_compressed_depth, decode_rvl
from monodepth_ros.data.image_codec import ImageError


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
        ("16UC1; compressedDepth rvl", np.zeros(12 + 8, np.uint8), None),
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
    if reason is None:
        assert decode_compressed_depth(message).size == 0
        return
    with pytest.raises(ImageError, match=reason) as caught:
        decode_compressed_depth(message)
    assert "\n" not in str(caught.value)
