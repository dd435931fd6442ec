# SPDX-License-Identifier: Apache-2.0
"""Grids of pictures that are drawn to scale."""

import numpy as np
import pytest

from monodepth_ros.pictures.plot_grid import GRID, PixelAxis, draw_grid, round_step
from monodepth_ros.pictures.trajectory_picture import trajectory_from_above


@pytest.mark.parametrize(("least", "step"), [(0.03, 0.05), (1.0, 1.0), (1.2, 2.0), (37.0, 50.0), (60.0, 100.0)])
def test_steps_are_round(least, step):
    assert round_step(least) == pytest.approx(step)


def test_lines_lie_at_multiples_of_the_step():
    picture = np.zeros((200, 300, 3), np.uint8)
    assert draw_grid(picture, PixelAxis(20.0, 10.0), PixelAxis(190.0, -10.0)) == 10.0
    columns = np.flatnonzero((picture[5] == GRID).all(axis=-1))
    rows = np.flatnonzero((picture[:, 5] == GRID).all(axis=-1))
    assert columns.tolist() == [20, 120, 220] and rows.tolist() == [90, 190], (columns, rows)


@pytest.mark.parametrize("length", [0.02, 3.0, 4000.0])
def test_a_trajectory_of_any_length_has_a_grid(length):
    positions = np.linspace((0, 0, 0), (length, 0, 0), 20)
    picture = trajectory_from_above(positions, 360, 180, unit="network units")
    lines = np.count_nonzero((picture[:, 170] == GRID).all(axis=-1))
    assert 2 <= lines <= 6, f"{lines} lines over {length}"
