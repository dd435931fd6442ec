# SPDX-License-Identifier: Apache-2.0
"""Formula weights against the formula in plain integers."""

import zlib

import numpy as np
import pytest

from monodepth_ros.networks.formula_weights import formula_image, formula_tensor


def unit(key, index):
    """The formula in plain integers, element by element."""
    x = (index * 73244475 + zlib.crc32(key.encode())) % 2**32
    x ^= x >> 16
    x = (x * 73244475) % 2**32
    x ^= x >> 16
    return x / 2**32


def test_values_follow_the_formula_in_c_order():
    key = "encoder.conv1.weight"
    values = formula_tensor(key, (4, 3, 2, 2))
    for index, value in enumerate(values.ravel(), start=1):
        assert value == pytest.approx((2 * unit(key, index) - 1) * np.sqrt(6 / 12), abs=1e-15)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("bn1.running_var", lambda u: 1 + u / 2),
        ("bn1.weight", lambda u: 1 + (2 * u - 1) / 10),
        ("bn1.bias", lambda u: (2 * u - 1) / 10),
        ("bn1.running_mean", lambda u: (2 * u - 1) / 10),
    ],
)
def test_vectors_have_the_range_of_their_kind(key, expected):
    values = formula_tensor(key, (5,))
    assert values == pytest.approx([expected(unit(key, index)) for index in range(1, 6)], abs=1e-15)


def test_images_are_waves_in_the_unit_range():
    image = formula_image(0.7, 5, 9)
    assert image.shape == (3, 5, 9)
    assert image[2, 4, 8] == pytest.approx(0.5 + 0.5 * np.sin(0.031 * 8 * 3 + 0.047 * 4 + 0.7 + 2), abs=1e-15)
    full = formula_image(0.0)
    assert full.shape == (3, 192, 640) and full.min() >= 0 and full.max() <= 1
