# SPDX-License-Identifier: Apache-2.0
"""Robot inputs from messages, the same live and offline."""

import numpy as np
import pytest

from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.static_transforms import StaticTransformError
from monodepth_ros.geometry.motion import R_BODY_OPTICAL, make_transform
from monodepth_ros.odometry.config import OdometryConfig
from monodepth_ros.odometry.gyro.gyro import Gyro
from monodepth_ros.odometry.scale.config import ScaleConfig
from monodepth_ros.odometry.scale.travel_log import TravelLog
from monodepth_ros.pipeline.moving_frame import odometry_transform, second_parent
from monodepth_ros.pipeline.robot_inputs.camera_mount import MountError, find_mount, ground_frames
from monodepth_ros.pipeline.robot_inputs.gyro_messages import add_rate
from monodepth_ros.pipeline.robot_inputs.odometry_messages import TYPES, OdometryMessages, lever_of, moving_frame
from monodepth_ros.pipeline.run_config import RunConfig

TENTH = 100_000_000
SPEED = 2.0  # m/s, ahead


def odometry_message(kind, i):
    """Message number i, 10 per second, of a robot that goes straight ahead."""
    stamp_ns, zero = (i + 1) * TENTH, np.zeros((6, 6))
    pose = make_transform(np.eye(3), (SPEED * i / 10, 0, 0))
    twist = (SPEED, 0, 0, 0, 0, 0)
    if kind == "Odometry":
        return messages.odometry(messages.header(stamp_ns, "odom"), "base_link", pose, zero, twist, zero)
    header = messages.header(stamp_ns, "base_link")
    with_covariance = messages.odometry(header, "", pose, zero, twist, zero).twist
    if kind == "TwistWithCovarianceStamped":
        return messages.twist_stamped(header, with_covariance)
    return messages.TYPES["geometry_msgs/msg/TwistStamped"](header, with_covariance.twist)


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_of_odometry_gives_the_path_and_names_its_frame(kind):
    travel = TravelLog()
    odometry = OdometryMessages(travel)
    for i in range(11):
        message = odometry_message(kind, i)
        assert moving_frame(message) == "base_link"
        odometry.add(message)
    length, angle = travel.between(TENTH, 11 * TENTH)
    assert (length, angle) == pytest.approx((SPEED, 0.0), abs=1e-9)


def test_odometry_whose_poses_never_move_is_remarked_once():
    odometry = OdometryMessages(TravelLog())
    problems = set()
    for i in range(31):
        message = odometry_message("Odometry", i)
        message.pose.pose.position.x = 0.0
        odometry.add(message)
        problems.add(odometry.remark)
    assert len(problems - {""}) == 1 and "the twist counts" in odometry.remark


def test_live_odometry_without_stamps_is_named():
    odometry = OdometryMessages(TravelLog())
    message = odometry_message("Odometry", 0)
    message.header.stamp.sec = message.header.stamp.nanosec = 0
    assert "no stamp (header.stamp is 0)" in odometry.add(message)


@pytest.mark.parametrize("kind", TYPES)
def test_odometry_out_of_order_keeps_the_path(kind):
    travel = TravelLog()
    odometry = OdometryMessages(travel)
    order = list(range(31))
    for i in range(2, 31, 6):
        order[i - 1], order[i] = order[i], order[i - 1]
    for i in order:
        odometry.add(odometry_message(kind, i))
    assert travel.between(TENTH, 31 * TENTH) == pytest.approx((3 * SPEED, 0.0), abs=1e-9)


def test_rates_are_turned_into_the_cameras_axes_and_invalid_ones_are_refused_with_a_reason():
    gyro, R_camera_imu = Gyro(OdometryConfig(imu_estimate_offset=False)), R_BODY_OPTICAL.T
    for i in range(11):
        stamp_ns = (i + 1) * TENTH // 10
        assert add_rate(gyro, messages.imu(messages.header(stamp_ns, "imu"), (0, 0, 0.5), 1e-4), R_camera_imu) == ""
    invalid = messages.imu(messages.header(2 * TENTH, "imu"), (np.nan, 0, 0), 1e-4)
    assert "not finite" in add_rate(gyro, invalid, R_camera_imu)
    turn = gyro.turn(TENTH // 10, 11 * TENTH // 10)
    # A turn to the left about the body's z is one about the optical -y.
    np.testing.assert_allclose(turn.R_start_stop[0, 2], np.sin(-0.5 * 0.1), atol=1e-9)


def test_the_mount_is_that_above_the_first_frame_that_is_connected():
    T_link_camera = make_transform(R_BODY_OPTICAL, (1.0, 0.0, 1.5))

    def lookup(frame):
        if frame != "base_link":
            raise StaticTransformError(f"no {frame}")
        return T_link_camera

    frames = ground_frames(ScaleConfig(source="camera_height"))
    frame, mount = find_mount(frames, lookup)
    assert (frames, frame, mount.height) == (("base_footprint", "base_link"), "base_link", 1.5)
    np.testing.assert_allclose(mount.up, (0, -1, 0), atol=1e-12)
    assert find_mount(("floor",), lookup) is None and ground_frames(ScaleConfig(source="fixed")) == ()


@pytest.mark.parametrize(
    ("settings", "frame", "parent", "is_refused"),
    [
        ({}, "camera", "base_link", True),
        ({}, "camera", "", False),
        ({}, "camera", "odom", False),
        ({"invert_odom_tf": True}, "camera", "camera", False),
        ({"base_frame": "base_link"}, "base_link", "base_footprint", True),
    ],
)
def test_a_frame_with_another_parent_gets_no_second_one(settings, frame, parent, is_refused):
    reason = second_parent(RunConfig(**settings), frame, parent)
    assert bool(reason) is is_refused and (not reason or f"{frame!r} has the parent {parent!r} already" in reason)
    assert not reason or all(name in reason for name in ("base_frame", "invert_odom_tf", "publish_tf")), reason


def test_the_inverted_transform_gives_odom_no_second_parent():
    reason = second_parent(RunConfig(invert_odom_tf=True), "base_link", "map", "by /filter")
    assert all(word in reason for word in ("'odom' has the parent 'map' already", "'base_link'", "by /filter")), reason
    assert "odom_frame" in reason and "publish_tf" in reason and "invert_odom_tf" not in reason, reason


def test_the_inverted_transform_swaps_the_frames():
    T = make_transform(np.eye(3), (1.0, 2.0, 3.0))
    assert odometry_transform(RunConfig(), "base_link", T)[:2] == ("odom", "base_link")
    parent, child, inverse = odometry_transform(RunConfig(invert_odom_tf=True), "base_link", T)
    assert (parent, child) == ("base_link", "odom")
    np.testing.assert_allclose(inverse @ T, np.eye(4), atol=1e-12)


def test_odometry_whose_pose_never_moves_gives_the_path_of_its_twist_and_says_so():
    travel = TravelLog()
    odometry = OdometryMessages(travel)
    for i in range(31):
        message = odometry_message("Odometry", i)
        message.pose.pose.position.x = 0.0
        message.twist.twist.linear.x = SPEED
        odometry.add(message)
    length, _ = travel.between(21 * TENTH, 31 * TENTH)
    assert length == pytest.approx(SPEED, abs=1e-9)
    assert "poses never move" in odometry.remark


def test_absurd_twists_and_jumps_do_not_decide_whether_poses_or_twists_count():
    travel = TravelLog()
    odometry = OdometryMessages(travel)
    for i in range(31):
        message = odometry_message("Odometry", i)
        if i == 10:
            message.twist.twist.linear.x = 1e300
        if i == 20:
            message.pose.pose.position.x = -1e9
        odometry.add(message)
    assert not odometry.remark
    assert travel.between(TENTH, 31 * TENTH)[0] == pytest.approx(3 * SPEED, abs=1e-9)


def test_an_odometry_frame_that_is_no_name_is_passed_over():
    message = odometry_message("Odometry", 0)
    message.child_frame_id = "x" * 5000
    assert "5000 characters" in OdometryMessages(TravelLog()).add(message)


def test_an_imu_without_a_gyro_is_named_and_one_with_absurd_covariances_is_used():
    gyro = Gyro(OdometryConfig())
    message = messages.imu(messages.header(TENTH, "imu"), np.zeros(3), 1e-4)
    message.angular_velocity_covariance[:] = -1.0
    assert "measures no rates" in add_rate(gyro, message, np.eye(3))
    message.angular_velocity.x = 0.1
    for covariance in (-1.0, np.nan, 1e300):
        message.angular_velocity_covariance[:] = covariance
        message.header.stamp.nanosec += 10_000_000
        assert not add_rate(gyro, message, np.eye(3))


def test_a_camera_of_absurd_height_has_no_mount():
    with pytest.raises(MountError, match=r"1e\+07 m above 'base_footprint'"):
        find_mount(("base_footprint",), lambda frame: make_transform(R_BODY_OPTICAL, (0, 0, 1e7)))


def test_a_camera_that_no_robot_carries_has_no_lever():
    assert lever_of(make_transform(np.eye(3), (300.0, 0.0, 20.0))).tolist() == [300.0, 0.0, 20.0]
    with pytest.raises(MountError, match="TF places it 9e[+]05 m from there, expected at most 1000 m"):
        lever_of(make_transform(np.eye(3), (0.0, 0.0, 9e5)))
