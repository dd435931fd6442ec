# SPDX-License-Identifier: Apache-2.0
"""Scale and orientation of clouds and trajectories, and sheets of pictures."""

import numpy as np

from monodepth_ros.pictures.cloud_picture import (
    EYE,
    CloudExtent,
    cloud_from_above,
    cloud_from_side,
    cloud_in_perspective,
)
from monodepth_ros.pictures.depth_scale import SCALE_HEIGHT, depth_panel
from monodepth_ros.pictures.picture_sheet import GAP, PANEL_HEIGHT, column_height, labelled, picture_sheet
from monodepth_ros.pictures.trajectory_picture import trajectory_from_above

RED = np.array([[255, 0, 0]], np.uint8)
EXTENT = CloudExtent(forward=40.0, sideways=10.0, below=5.0, above=15.0)


def colored_pixel(picture, bgr=(0, 0, 255)):
    rows, columns = np.nonzero((picture == bgr).all(axis=-1))
    assert len(rows), f"nothing is drawn in {bgr}"
    return columns.mean(), rows.mean()


def test_from_above_forward_is_right_and_left_is_up():
    x, y = colored_pixel(cloud_from_above(np.array([[20.0, 5.0, 0.0]]), RED, EXTENT, height=240))
    assert abs(x - 240.5) <= 1 and abs(y - 60.5) <= 1, (x, y)


def test_from_the_side_up_is_up():
    x, y = colored_pixel(cloud_from_side(np.array([[10.0, 0.0, 5.0]]), RED, EXTENT, height=240))
    assert abs(x - 120.5) <= 1 and abs(y - 120.5) <= 1, (x, y)


def test_higher_points_hide_lower_ones():
    points = np.array([[20.0, 0.0, 3.0], [20.0, 0.0, -1.0], [20.0, 0.0, 99.0]])
    picture = cloud_from_above(points, np.array([[255, 0, 0], [0, 255, 0], [9, 9, 9]], np.uint8), EXTENT)
    assert (picture == (0, 0, 255)).all(axis=-1).any() and not (picture == (0, 255, 0)).all(axis=-1).any()


def test_in_perspective_left_is_left_far_is_up_and_near_is_larger():
    places = np.array([[6.0, 3.0, 0.0], [6.0, -3.0, 0.0], [30.0, 0.0, 0.0]])
    colors = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    picture = cloud_in_perspective(places, colors, EXTENT)
    left, right, far = (colored_pixel(picture, tuple(int(c) for c in color[::-1])) for color in colors)
    assert left[0] < right[0] and far[1] < min(left[1], right[1]), (left, right, far)
    assert (picture == (0, 0, 255)).all(-1).sum() > (picture == (255, 0, 0)).all(-1).sum()


def test_in_perspective_near_points_hide_far_ones():
    near = np.array([10.0, 0.0, 0.0])
    points = np.stack((near, EYE + 1.6 * (near - EYE)))
    for order in ((0, 1), (1, 0)):
        colors = np.array([[255, 0, 0], [0, 255, 0]], np.uint8)[list(order)]
        picture = cloud_in_perspective(points[list(order)], colors, EXTENT)
        assert (picture == (0, 0, 255)).all(axis=-1).any()
        assert not (picture == (0, 255, 0)).all(axis=-1).any()


def test_an_empty_cloud_is_an_empty_picture():
    nothing = np.zeros((0, 3)), np.zeros((0, 3), np.uint8)
    for draw in (cloud_from_above, cloud_from_side, cloud_in_perspective):
        assert draw(*nothing, EXTENT).shape[0] == PANEL_HEIGHT


def test_a_trajectory_has_forward_up_and_left_left():
    positions = np.array([[0.0, 0, 0], [20, 0, 0], [20, 5, 0]])
    picture = trajectory_from_above(positions, 300, 200, marks={"end": positions[-1]})
    start_x, start_y = colored_pixel(picture, (120, 255, 120))
    rows, columns = np.nonzero((picture == (80, 200, 255)).all(axis=-1))
    found = start_x, start_y, rows.min(), columns.min()
    assert rows.min() < start_y - 100 and columns.min() < start_x - 10, found


def test_the_reference_is_drawn_beside_the_estimate_and_both_fit():
    estimate, reference = np.array([[0.0, 0, 0], [10, 0, 0]]), np.array([[0.0, 0, 0], [10, 8, 0]])
    picture = trajectory_from_above(estimate, 300, 200, reference)
    rows, columns = np.nonzero((picture == (150, 150, 150)).all(axis=-1))
    below_caption = rows > 40
    assert below_caption.any() and columns[below_caption].min() > 0


def test_a_camera_at_rest_still_makes_a_trajectory():
    assert trajectory_from_above(np.zeros((5, 3)), 300, 200).shape == (300, 200, 3)


def test_rows_of_different_width_and_a_column_make_one_sheet():
    tall, wide = np.zeros((2 * PANEL_HEIGHT, 640, 3), np.uint8), np.zeros((90, 900, 3), np.uint8)
    wide, depth = labelled(wide, "wide"), depth_panel(np.full((90, 160), 5.0, np.float32), "m", "depth")
    rows = [[labelled(tall, "tall"), wide], [wide], [depth]]
    column = np.full((column_height(rows), 50, 3), 7, np.uint8)
    sheet = picture_sheet(rows, "title", column)
    height = 30 + 3 * (PANEL_HEIGHT + GAP) + SCALE_HEIGHT
    assert sheet.shape == (height, 320 + 1800 + 2 * GAP + 50, 3)
    assert (sheet[30 : height - GAP, -50:] == 7).all() and not sheet[height - GAP :, -50:].any()
