# SPDX-License-Identifier: Apache-2.0
"""A camera's pose as people measure it, and the transform that states it beside the driver's own."""

import numpy as np
import pytest

from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.motion import R_BODY_OPTICAL, make_transform
from monodepth_ros.pipeline.base_choice import Parent
from monodepth_ros.pipeline.robot_inputs.camera_pose import parse_pose, placed_frame


def placed(tree, pose="1,2,3,0,0,0"):
    """The transform for the first frame of `child < parent < ...`, and a base_link."""
    frames = tree.split(" < ")
    parents = {child: Parent(parent, True) for child, parent in zip(frames[:-1], frames[1:])}
    return placed_frame(parse_pose(pose).T_base_body, "base_link", frames[0], parents.get)


def test_angles_are_those_of_urdf():
    camera, T = parse_pose(" front = 1,-2,0.5, 0,0.3,1.5707963267948966")
    assert camera == "front"
    np.testing.assert_allclose(T[:3, 3], (1, -2, 0.5))
    # Turned left by 90 degrees, and then looking down by 0.3 rad: what is ahead of the camera is left of the robot.
    np.testing.assert_allclose(T[:3, 0], (0, np.cos(0.3), -np.sin(0.3)), atol=1e-12)
    rolled = parse_pose("=-1,0,0,0.2,0,0")
    assert rolled.camera == "" and rolled.T_base_body[0, 3] == -1
    np.testing.assert_allclose(rolled.T_base_body[:3, 1], (0, np.cos(0.2), np.sin(0.2)), atol=1e-12)


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,4,5,six", "1,2,3,4,5,nan", "1,2,3,4,5,6,7", "front=", "front"])
def test_another_form_is_an_error_that_states_the_expected_one(text):
    with pytest.raises(MonodepthError, match="expected x,y,z,roll,pitch,yaw"):
        parse_pose(text)


def test_a_camera_without_a_tree_is_placed_in_optical_axes():
    frame, T = placed("camera")
    assert frame == "camera"
    np.testing.assert_allclose(T, make_transform(R_BODY_OPTICAL, (1, 2, 3)))


def test_the_root_of_the_drivers_tree_is_placed_as_the_body_of_the_camera():
    frame, T = placed("color_optical < color < camera_link")
    assert frame == "camera_link"
    np.testing.assert_allclose(T, make_transform(np.eye(3), (1, 2, 3)))


def test_a_camera_that_is_on_the_base_already_is_not_placed_again():
    assert placed("camera < mast < base_link") is None and placed("camera < base_link < base_footprint") is None
