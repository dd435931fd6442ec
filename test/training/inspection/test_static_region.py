# SPDX-License-Identifier: Apache-2.0
"""The hood and other static regions are found in images of a moving world."""

import cv2
import numpy as np
import pytest

from monodepth_ros.training.inspection.static_region import find_static_region

HOOD = np.zeros((64, 160), bool)
HOOD[50:] = True


def moving(count=40, sky=True, seed=0):
    """Grey frames (N, 64, 160) of a texture that passes by under a white sky."""
    texture = np.random.default_rng(seed).integers(0, 256, (12, 200), np.uint8)
    texture = cv2.resize(texture, (1000, 64), interpolation=cv2.INTER_CUBIC)
    frames = np.stack([texture[:, 9 * i : 9 * i + 160] for i in range(count)])
    if sky:
        frames[:, :16] = 255
    return frames


def with_region(frames, region, level=120, noise=0.0, gains=None):
    rng = np.random.default_rng(3)
    still = cv2.resize(rng.integers(level - 60, level + 60, (8, 20)).astype(np.float32), (160, 64))
    made = np.where(region, still, frames.astype(np.float32))
    made = made + noise * rng.normal(size=made.shape)
    if gains is not None:
        made = made * gains[:, None, None]
    return np.clip(made, 0, 255).astype(np.uint8)


def test_a_white_sky_is_not_a_static_region():
    assert find_static_region(moving()) is None


@pytest.mark.parametrize("noise", [0.0, 1.5])
def test_a_hood_is_found_with_its_height(noise):
    found = find_static_region(with_region(moving(), HOOD, noise=noise))
    assert found is not None and found.hood == pytest.approx(14 / 64, abs=0.02), found and found.hood
    assert (found.region ^ HOOD).mean() < 0.02


def test_changes_of_exposure_do_not_hide_the_hood():
    gains = 1 + 0.15 * np.sin(np.arange(40))
    found = find_static_region(with_region(moving(sky=False), HOOD, level=90, gains=gains))
    assert found is not None and (found.region & HOOD).sum() > 0.7 * HOOD.sum(), (
        found and (found.region & HOOD).sum() / HOOD.sum()
    )


def test_dark_corners_are_found_but_are_not_a_hood():
    corners = np.zeros((64, 160), bool)
    corners[:20, :25] = corners[:20, -25:] = True
    frames = moving()
    frames[:, corners] = 4
    found = find_static_region(frames)
    assert found is not None and found.hood == 0 and (found.region ^ corners).mean() < 0.02


def test_the_mask_has_a_margin_around_the_region():
    mask = find_static_region(with_region(moving(), HOOD)).mask(640, 256)
    assert mask.shape == (256, 640) and not mask[200:].any() and not mask[197:200].any() and mask[:190].all()


def test_a_region_that_is_masked_already_is_not_reported_again():
    assert find_static_region(with_region(moving(), HOOD), HOOD) is None


def test_a_static_camera_has_no_hood():
    assert find_static_region(np.repeat(moving(1, sky=False), 20, axis=0)) is None


def test_five_frames_are_too_few_to_find_a_hood():
    assert find_static_region(with_region(moving(5), HOOD)) is None
