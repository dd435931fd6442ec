# SPDX-License-Identifier: Apache-2.0
"""The scale of a depth picture: its ticks lie under the colours of their depths."""

import numpy as np
import pytest

from monodepth_ros.pictures.color_picture import SteadyLimits, color_limits, color_picture
from monodepth_ros.pictures.depth_scale import SCALE_HEIGHT, depth_scale, round_depths, with_depth_scale


def test_a_tick_stands_below_the_colour_of_its_depth():
    limits = 1 / 50, 1 / 2
    scale = depth_scale(limits, "m", 640).astype(int)
    ticks = np.flatnonzero((scale[12] > 180).all(axis=-1))
    assert len(ticks) >= 6, ticks
    bar = np.flatnonzero(scale[6].sum(axis=-1) > 200)
    for depth in (3.0, 5.0, 10.0):
        color = color_picture(np.full((1, 1), depth, np.float32), limits)[0, 0].astype(int)
        at = bar[np.abs(scale[6, bar] - color).sum(axis=-1).argmin()]
        assert np.abs(ticks - at).min() <= 3, f"{depth} m has its colour at {at}, ticks are at {ticks}"


@pytest.mark.parametrize("limits", [(0.0, 1.0), (0.2, 0.2), (1 / 5.02, 1 / 5), (0.0, 0.0), (0.01, 40.0)])
def test_every_pair_of_limits_makes_a_scale(limits):
    scale = depth_scale(limits, "network units", 320)
    assert scale.shape == (SCALE_HEIGHT, 320, 3)
    assert (scale[12] > 180).all(axis=-1).any(), "a tick"


def test_round_depths_lie_within_the_limits():
    depths = round_depths((1 / 70, 1 / 3))
    assert {5.0, 10.0, 20.0, 50.0} <= set(depths) and min(depths) >= 3 and max(depths) <= 70, depths


def test_the_scale_is_below_the_picture_which_stays_as_it_is():
    picture = np.full((90, 200, 3), 77, np.uint8)
    result = with_depth_scale(picture, (0.1, 0.5), "m")
    assert result.shape == (90 + SCALE_HEIGHT, 200, 3) and (result[:90] == 77).all()


def test_limits_of_a_moving_picture_follow_slowly():
    near, far = np.full((8, 8), 2.0, np.float32), np.full((8, 8), 20.0, np.float32)
    limits = SteadyLimits()
    assert limits.follow(near) == pytest.approx(color_limits(near))
    first = limits.follow(far)
    assert 0.4 < first[1] < 0.5, "one frame moves them a little"
    for _ in range(60):
        last = limits.follow(far)
    assert last == pytest.approx(color_limits(far), rel=1e-3)
