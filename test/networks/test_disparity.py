# SPDX-License-Identifier: Apache-2.0
"""Disparity and depth."""

import numpy as np
import pytest
import torch

from monodepth_ros.networks.disparity import (
    depth_at_size,
    depth_to_disparity,
    disparity_to_depth,
    scale_disparity,
)


@pytest.mark.parametrize("array", [np.array, torch.tensor])
def test_ends_and_middle_of_the_published_range(array):
    depth = disparity_to_depth(array([0.0, 0.5, 1.0]), 0.1, 100.0)
    assert [float(value) for value in depth] == pytest.approx([100.0, 1 / 5.005, 0.1])


def test_depth_and_disparity_are_inverses_in_any_range():
    disparity = np.linspace(0, 1, 7)
    assert depth_to_disparity(disparity_to_depth(disparity, 0.5, 30.0), 0.5, 30.0) == pytest.approx(
        disparity, abs=1e-12
    )


def test_float32_stays_float32():
    assert scale_disparity(np.zeros((2, 2), np.float32), 0.1, 100.0).dtype == np.float32
    assert depth_at_size(np.ones((2, 2), np.float32), (4, 4)).dtype == np.float32


def test_disparity_is_resized_before_it_is_inverted():
    depth = depth_at_size(np.array([[1.0, 1 / 9.0]], np.float32), (4, 1))
    # Bilinear between centres: 1, 3/4 + 1/36, 1/4 + 3/36, 1/9.
    assert depth[0] == pytest.approx([1.0, 9 / 7, 3.0, 9.0], rel=1e-6)


def test_the_same_size_is_not_resampled():
    scaled = np.random.default_rng(0).random((6, 8), np.float32) + 0.1
    assert np.array_equal(depth_at_size(scaled, (8, 6)), 1 / scaled)
