"""Clouds drawn to scale and the right way up."""

import numpy as np

from monodepth_ros.evaluation.picture_sheet import (
    CloudExtent,
    cloud_from_above,
    cloud_from_side,
    picture_sheet,
    trajectory_from_above,
)

RED = np.array([[255, 0, 0]], np.uint8)
EXTENT = CloudExtent(forward=40.0, sideways=10.0, below=5.0, above=15.0)


def red_pixel(picture):
    rows, columns = np.nonzero((picture == (0, 0, 255)).all(axis=-1))
    return columns.mean(), rows.mean()


def test_from_above_forward_is_right_and_left_is_up():
    x, y = red_pixel(cloud_from_above(np.array([[20.0, 5.0, 0.0]]), RED, EXTENT, height=240))
    assert abs(x - 240.5) <= 1 and abs(y - 60.5) <= 1, (x, y)


def test_from_the_side_up_is_up():
    x, y = red_pixel(cloud_from_side(np.array([[10.0, 0.0, 5.0]]), RED, EXTENT, height=240))
    assert abs(x - 120.5) <= 1 and abs(y - 120.5) <= 1, (x, y)


def test_what_is_higher_hides_what_is_lower():
    points = np.array([[20.0, 0.0, 3.0], [20.0, 0.0, -1.0], [20.0, 0.0, 99.0]])
    picture = cloud_from_above(points, np.array([[255, 0, 0], [0, 255, 0], [9, 9, 9]], np.uint8), EXTENT)
    assert (picture == (0, 0, 255)).all(axis=-1).any() and not (picture == (0, 255, 0)).all(axis=-1).any()


def test_rows_of_different_width_make_one_sheet():
    tall, wide = np.zeros((480, 640, 3), np.uint8), np.zeros((100, 900, 3), np.uint8)
    sheet = picture_sheet([[tall, wide], [wide], [trajectory_from_above(np.zeros((5, 3)))]], "title")
    assert sheet.ndim == 3 and sheet.shape[1] == 320 + 2160


def test_an_empty_cloud_is_an_empty_grid():
    assert cloud_from_above(np.zeros((0, 3)), np.zeros((0, 3), np.uint8), EXTENT).shape[0] == 240
