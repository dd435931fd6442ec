# SPDX-License-Identifier: Apache-2.0
"""Agreement of the Lanczos filter with its definition."""

import numpy as np
import pytest

from monodepth_ros.geometry.lanczos import lanczos_resize


def reference(line, size):
    """One row resized in float64 with the formula, pixel by pixel."""
    scale = len(line) / size
    wide = max(scale, 1.0)
    result = []
    for i in range(size):
        x = (np.arange(len(line)) + 0.5 - (i + 0.5) * scale) / wide
        weights = np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)
        result.append((weights @ line) / weights.sum())
    return np.array(result)


@pytest.mark.parametrize("size", [64, 100, 13, 1, 177, 400])
def test_each_axis_follows_the_kernels_formula(size):
    line = np.random.default_rng(0).uniform(0, 255, 177)
    expected = reference(line, size)
    across = lanczos_resize(np.tile(line, (4, 1)).astype(np.float32), size, 4)
    down = lanczos_resize(np.tile(line, (4, 1)).T.astype(np.float32), 4, size)
    for result in (across[2], down[:, 2]):
        assert np.abs(result - expected).max() < 1e-3, np.abs(result - expected).max()


def test_uint8_is_rounded_and_clipped_after_each_pass_where_the_kernel_overshoots():
    image = np.zeros((40, 60), np.uint8)
    image[20:, 30:] = 255
    across = lanczos_resize(image.astype(np.float32), 120, 40)
    assert across.min() < -10 and across.max() > 265
    across = np.clip(np.rint(across), 0, 255)
    expected = np.clip(np.rint(lanczos_resize(across, 120, 80)), 0, 255)
    result = lanczos_resize(image, 120, 80)
    assert result.dtype == np.uint8 and np.array_equal(result, expected)


def test_a_uniform_image_stays_uniform():
    assert (lanczos_resize(np.full((50, 70), 93, np.uint8), 31, 17) == 93).all()
