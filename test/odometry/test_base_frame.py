# SPDX-License-Identifier: Apache-2.0
"""The camera's odometry, expressed for the base."""

from dataclasses import replace

import numpy as np

from monodepth_ros.geometry.motion import R_BODY_OPTICAL, axis_angle_to_rotation, exp_se3, invert, make_transform
from monodepth_ros.odometry.base_frame import express_in_base
from monodepth_ros.odometry.config import OdometryConfig
from monodepth_ros.odometry.visual_odometry import VisualOdometry

SECOND = 1_000_000_000
T_BASE_CAMERA = make_transform(R_BODY_OPTICAL @ axis_angle_to_rotation((0.1, 0.0, 0.0)), (1.2, 0.3, 1.65))


def estimate_after(T_start_base_track, T_base_camera=T_BASE_CAMERA):
    """The camera's odometry for a base that follows these poses at 10 Hz."""
    odometry = VisualOdometry(OdometryConfig(max_turn_rate=10.0))
    cameras = [pose @ T_base_camera for pose in T_start_base_track]
    estimate = odometry.update(SECOND, None)
    for i in range(1, len(cameras)):
        estimate = odometry.update(SECOND + i * SECOND // 10, invert(cameras[i - 1]) @ cameras[i])
    return estimate


def test_forward_in_the_image_is_forward_on_the_base():
    step = exp_se3(np.array([0.5, 0, 0, 0, 0, 0]))
    track = [np.linalg.matrix_power(step, i) for i in range(11)]
    moving = express_in_base(estimate_after(track), T_BASE_CAMERA, T_BASE_CAMERA)
    np.testing.assert_allclose(moving.T_odom_base[:3, 3], (5.0, 0.0, 0.0), atol=1e-9)
    np.testing.assert_allclose(moving.twist, (5.0, 0, 0, 0, 0, 0), atol=1e-9)


def test_turning_on_the_spot_moves_the_camera_but_not_the_base():
    step = exp_se3(np.array([0, 0, 0, 0, 0, 0.05]))
    track = [np.linalg.matrix_power(step, i) for i in range(21)]
    estimate = estimate_after(track)
    assert np.linalg.norm(estimate.T_start_camera[:3, 3]) > 0.5
    moving = express_in_base(estimate, T_BASE_CAMERA, T_BASE_CAMERA)
    np.testing.assert_allclose(moving.T_odom_base[:3, 3], 0.0, atol=1e-9)
    np.testing.assert_allclose(moving.twist, (0, 0, 0, 0, 0, 0.5), atol=1e-9)


def test_lengths_in_network_units_are_not_mixed_with_the_metres_of_the_mount():
    step = exp_se3(np.array([0.5, 0, 0, 0, 0, 0.05]))
    estimate = estimate_after([np.linalg.matrix_power(step, i) for i in range(11)], T_BASE_CAMERA)
    relative = express_in_base(replace(estimate, is_metric=False), T_BASE_CAMERA, T_BASE_CAMERA)
    # As for a camera in the base's origin: the camera's own path, in the axes of odom.
    np.testing.assert_allclose(
        relative.T_odom_base[:3, 3], T_BASE_CAMERA[:3, :3] @ estimate.T_start_camera[:3, 3], atol=1e-9
    )
    metric = express_in_base(estimate, T_BASE_CAMERA, T_BASE_CAMERA)
    np.testing.assert_allclose(relative.T_odom_base[:3, :3], metric.T_odom_base[:3, :3], atol=1e-9)
    assert np.linalg.norm(relative.T_odom_base[:3, 3] - metric.T_odom_base[:3, 3]) > 0.1


def test_a_panning_camera_does_not_move_the_base():
    odometry = VisualOdometry()
    extrinsics = [T_BASE_CAMERA @ exp_se3(np.array([0, 0, 0, 0, 0.02 * i, 0])) for i in range(10)]
    odometry.update(SECOND, None)
    for i in range(1, 10):
        estimate = odometry.update(SECOND + i * SECOND // 10, invert(extrinsics[i - 1]) @ extrinsics[i])
    moving = express_in_base(estimate, extrinsics[0], extrinsics[-1])
    np.testing.assert_allclose(moving.T_odom_base, np.eye(4), atol=1e-9)


def test_covariance_of_the_base_includes_the_lever_arm():
    estimate = estimate_after([np.eye(4), np.eye(4)])
    near = express_in_base(estimate, T_BASE_CAMERA, T_BASE_CAMERA)
    long = make_transform(T_BASE_CAMERA[:3, :3], (12.0, 0.0, 1.65))
    far = express_in_base(estimate, long, long)
    # One step of rotation noise 0.002 rad at 12 m: (0.024 m)^2 sideways more than at 1.2 m.
    gain = far.pose_covariance[1, 1] - near.pose_covariance[1, 1]
    rotation = estimate.pose_covariance[4, 4]
    assert abs(gain - rotation * (12.0**2 - 1.2**2)) < 1e-6, gain
    assert np.linalg.eigvalsh(far.pose_covariance).min() > 0
