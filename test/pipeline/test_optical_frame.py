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


@pytest.mark.parametrize("turn", [(0, 0, 0), (0, 0, 1.6), (0, 0.3, 0)], ids=["ahead", "left", "tilted"])
def test_a_link_frame_is_doubted_and_an_optical_one_is_not(turn):
    link, optical = turned(turn), turned(turn) @ R_BODY_OPTICAL
    problem = axes_problem("camera_link", "robot/base_link", make_transform(link, (0.4, 0, 1.2)))
    assert "'camera_link' looks up in 'robot/base_link'" in problem
    assert axes_problem("camera_optical", "base_link", make_transform(optical, (0.4, 0, 1.2))) == ""


def test_a_tree_of_optical_frames_is_not_doubted():
    assert axes_problem("right_optical", "left_optical", np.eye(4)) == ""


def test_the_moving_frame_of_a_recording_notes_it():
    transforms = StaticTransforms()
    mount = make_transform(np.eye(3), (0.4, 0, 1.2))
    transforms.add([messages.transform_stamped(messages.header(0, "base_link"), "camera_link", mount)])
    moving = MovingFrame(MovingFrameConfig(), "camera_link", transforms)
    assert [note for note in moving.notes if "looks up" in note], moving.notes
