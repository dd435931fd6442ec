# SPDX-License-Identifier: Apache-2.0
"""Corners tracked forward and backward."""

import cv2
import numpy as np
import pytest

from monodepth_ros.geometry.corner_flow import follow_corners

WINDOW = (15, 15)


@pytest.fixture(scope="module")
def texture():
    noise = np.random.default_rng(0).integers(0, 256, (120, 160)).astype(np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 2)


@pytest.fixture(scope="module")
def corners(texture):
    found = cv2.goodFeaturesToTrack(texture[20:100, 20:140], 50, 0.01, 8).reshape(-1, 2)
    return found + 20


def test_corners_move_with_the_image(texture, corners):
    places, found = follow_corners(texture, np.roll(texture, (2, 5), axis=(0, 1)), corners, WINDOW, tolerance=0.5)
    assert found.mean() > 0.95
    error = np.abs(places - corners - [5, 2])[found].max()
    assert error < 0.1, f"{error} pixels"


def test_corners_on_a_vanished_surface_are_lost(texture, corners):
    later = texture.copy()
    later[:, 80:] = np.random.default_rng(1).integers(0, 256, (120, 80))
    _, found = follow_corners(texture, later, corners, WINDOW, tolerance=0.5)
    left, right = found[corners[:, 0] < 60], found[corners[:, 0] > 95]
    assert left.all() and right.mean() < 0.2, f"{left.mean():.2f} and {right.mean():.2f} found"


def test_no_corners_give_no_places(texture):
    places, found = follow_corners(texture, texture, np.zeros((0, 2)), WINDOW, tolerance=0.5)
    assert places.shape == (0, 2) and found.shape == (0,)
