# SPDX-License-Identifier: Apache-2.0
"""base_frame auto: the frame that carries the camera, in the trees that drivers and robots publish."""

import pytest

from monodepth_ros.pipeline.base_choice import Parent, choose_base

REALSENSE = "camera_color_optical_frame < camera_color_frame < camera_link"
ZED = "zed_left_camera_frame_optical < zed_left_camera_frame < zed_camera_center < zed_camera_link"
OAK = "oak_rgb_camera_optical_frame < oak_rgb_camera_frame < oak < oak-d-base-frame"


def chosen(tree, odom_frame="odom"):
    """The choice for the first frame of `child < static parent << moving parent`."""
    words = tree.split()
    parents = {
        child: Parent(parent, sign == "<")
        for child, sign, parent in zip(words[::2], words[1::2], words[2::2], strict=False)
    }
    return choose_base("auto", words[0], parents.get, odom_frame)


@pytest.mark.parametrize(
    ("tree", "frame"),
    [
        (REALSENSE, "camera_link"),
        (ZED, "zed_camera_link"),
        (OAK, "oak-d-base-frame"),
        (f"{REALSENSE} < base_link < base_footprint", "base_footprint"),
        (f"{REALSENSE} < head << pan << torso < base_link", "base_link"),
        (f"{REALSENSE} < base_link << odom", "base_link"),
        (f"{REALSENSE} < base_link << wheel_odometry << map", "base_link"),
        (f"{ZED} << odom << map", "zed_camera_link"),
        (f"{REALSENSE} << tracker", "camera_link"),
        (f"{REALSENSE} < map", "camera_link"),
        ("camera < robot1/base_link << robot1/odom < map", "robot1/base_link"),
        ("camera << base_link", "base_link"),
        ("camera", "camera"),
        ("camera << odom", "camera"),
        ("a < b < c < a", "c"),
    ],
)
def test_the_root_of_the_frames_that_move_with_the_camera_is_chosen(tree, frame):
    assert chosen(tree).frame == frame, chosen(tree)


def test_the_configured_odom_frame_is_never_the_base():
    assert chosen("camera < base << start", odom_frame="start").frame == "base"
    assert chosen("camera < base < start", odom_frame="start").frame == "base"


def test_a_robot_is_certain_and_a_bare_camera_may_still_get_one():
    assert chosen(f"{REALSENSE} < base_link").is_certain
    assert not chosen(REALSENSE).is_certain and not chosen("camera").is_certain
    assert "no transform places it" in chosen("camera").description
    assert "root of the frames above camera_color" in chosen(REALSENSE).description


@pytest.mark.parametrize(("base_frame", "frame"), [("", "camera"), ("/camera", "camera"), ("mast", "mast")])
def test_a_stated_frame_is_taken_whatever_the_tree(base_frame, frame):
    choice = choose_base(base_frame, "/camera", {"camera": Parent("base_link", True)}.get, "odom")
    assert (choice.frame, choice.is_camera, choice.is_certain) == (frame, frame == "camera", True)
