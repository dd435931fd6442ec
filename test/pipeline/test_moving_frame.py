# SPDX-License-Identifier: Apache-2.0
"""The moving frame of an offline run, and its place in the TF tree."""

import numpy as np
import pytest

from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.static_transforms import StaticTransforms
from monodepth_ros.geometry.motion import R_BODY_OPTICAL, exp_se3, make_transform
from monodepth_ros.odometry.visual_odometry import VisualOdometry
from monodepth_ros.pipeline.moving_frame import MovingFrame
from monodepth_ros.pipeline.run_config import RunConfig

T_BASE_CAMERA = make_transform(R_BODY_OPTICAL, (1.2, 0.3, 1.5))
STEP = exp_se3(np.array([0.0, 0, 0.5, 0, 0.1, 0]))  # half a metre ahead, to the right


@pytest.fixture
def mounted():
    tree = StaticTransforms()
    tree.add([messages.transform_stamped(messages.header(0, "base_link"), "camera", T_BASE_CAMERA)])
    return tree


@pytest.fixture
def estimate():
    odometry = VisualOdometry()
    odometry.update(10**9, None)
    return odometry.update(11 * 10**8, STEP)


def test_without_a_base_the_camera_moves_and_odom_has_z_up(estimate):
    moving = MovingFrame(RunConfig(), "camera", StaticTransforms())
    T = moving.express(estimate).T_odom_base
    np.testing.assert_allclose(T[:3, 3], R_BODY_OPTICAL @ STEP[:3, 3], atol=1e-12)
    assert moving.name == "camera" and moving.may_publish_tf and not moving.notes


def test_with_a_base_the_base_moves(mounted, estimate):
    moving = MovingFrame(RunConfig(base_frame="base_link"), "camera", mounted)
    expected = T_BASE_CAMERA @ STEP @ np.linalg.inv(T_BASE_CAMERA)
    np.testing.assert_allclose(moving.express(estimate).T_odom_base, expected, atol=1e-12)
    np.testing.assert_allclose(moving.T_odom_camera(estimate), T_BASE_CAMERA @ STEP, atol=1e-12)
    assert moving.name == "base_link" and moving.may_publish_tf


def test_an_unknown_base_is_not_used_and_a_note_says_so(estimate):
    moving = MovingFrame(RunConfig(base_frame="base_link"), "camera", StaticTransforms())
    assert moving.name == "camera" and "base_frame is not used" in moving.notes[0]


def test_by_default_the_root_of_the_static_transforms_moves(mounted, estimate):
    moving, stated = (
        MovingFrame(RunConfig(**given), "/camera", mounted) for given in ({}, {"base_frame": "base_link"})
    )
    assert moving.name == "base_link" and moving.may_publish_tf and not moving.notes
    assert "the root of the frames above camera" in moving.description
    np.testing.assert_array_equal(moving.express(estimate).T_odom_base, stated.express(estimate).T_odom_base)


def test_a_mounted_camera_gets_no_second_parent(mounted):
    moving = MovingFrame(RunConfig(base_frame=""), "camera", mounted)
    assert not moving.may_publish_tf and "has the parent 'base_link' already" in moving.notes[0]
    assert MovingFrame(RunConfig(base_frame="", invert_odom_tf=True), "camera", mounted).may_publish_tf
    silent = MovingFrame(RunConfig(base_frame="", publish_tf=False), "camera", mounted)
    assert not silent.may_publish_tf and not silent.notes


def test_the_camera_named_as_base_moves_in_an_odom_frame_with_z_up(estimate):
    named, empty = (MovingFrame(RunConfig(base_frame=base), "camera", StaticTransforms()) for base in ("camera", ""))
    np.testing.assert_array_equal(named.express(estimate).T_odom_base, empty.express(estimate).T_odom_base)


def test_a_base_fixed_in_the_world_stays_where_it_is(mounted):
    mounted.add([messages.transform_stamped(messages.header(0, "map"), "base_link", np.eye(4))])
    moving = MovingFrame(RunConfig(), "camera", mounted)
    assert moving.name == "base_link" and not moving.may_publish_tf and "the parent 'map' already" in moving.notes[0]
