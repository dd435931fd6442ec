# SPDX-License-Identifier: Apache-2.0
"""Frames of images that are not optical ones."""

import numpy as np
import pytest

from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.static_transforms import StaticTransforms
from monodepth_ros.geometry.motion import R_BODY_OPTICAL, exp_se3, make_transform
from monodepth_ros.pipeline.moving_frame import MovingFrame, MovingFrameConfig
from monodepth_ros.pipeline.robot_inputs.optical_frame import axes_problem


def turned(axis_angle):
    return exp_se3([0, 0, 0, *axis_angle])[:3, :3]


@pytest.mark.parametrize("turn", [(0, 0, 0), (0, 0, 1.6), (0, 0.6, 0)], ids=["ahead", "left", "tilted"])
def test_a_link_frame_is_doubted_and_an_optical_one_is_not(turn):
    link, optical = turned(turn), turned(turn) @ R_BODY_OPTICAL
    problem = axes_problem("camera_link", "robot/base_link", make_transform(link, (0.4, 0, 1.2)))
    assert "'camera_link' looks up in 'robot/base_link'" in problem
    assert axes_problem("camera_optical", "base_link", make_transform(optical, (0.4, 0, 1.2))) == ""


def test_a_tree_of_optical_frames_is_not_doubted():
    assert axes_problem("right_optical", "left_optical", np.eye(4)) == ""


def test_links_above_the_camera_are_upright_and_frames_of_imus_need_not_be():
    assert axes_problem("camera_color_frame", "camera_link", np.eye(4))
    assert axes_problem("camera", "chassis", np.eye(4))
    assert axes_problem("cam0", "imu_link", np.eye(4)) == ""
    assert axes_problem("camera_link", "camera_link", np.eye(4)) == ""


@pytest.mark.parametrize("roll", [0.0, 1.5708, 3.1416], ids=["level", "rolled", "upside down"])
@pytest.mark.parametrize("pitch", [0.0, 0.7, 1.5708, -0.7], ids=["ahead", "lowered", "down", "raised"])
def test_optical_frames_of_any_usual_mount_are_not_doubted(roll, pitch):
    mount = turned((0, pitch, 0)) @ R_BODY_OPTICAL @ turned((0, 0, roll))
    assert axes_problem("camera_optical", "base_link", make_transform(mount, (0.4, 0, 1.2))) == ""


def test_the_moving_frame_of_a_recording_notes_it():
    transforms = StaticTransforms()
    mount = make_transform(np.eye(3), (0.4, 0, 1.2))
    transforms.add([messages.transform_stamped(messages.header(0, "base_link"), "camera_link", mount)])
    moving = MovingFrame(MovingFrameConfig(), "camera_link", transforms)
    assert [note for note in moving.notes if "looks up" in note], moving.notes
