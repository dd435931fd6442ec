# SPDX-License-Identifier: Apache-2.0
"""Measured scales in the running node, from the robot's odometry and from the camera's height in TF, over DDS."""

import math

import numpy as np
import pytest
from geometry_msgs.msg import TwistStamped, TwistWithCovarianceStamped
from nav_msgs.msg import Odometry
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from stamped_transform import stamped
from tf2_msgs.msg import TFMessage

from monodepth_ros.geometry.motion import R_BODY_OPTICAL, axis_angle_to_rotation, make_transform
from monodepth_ros.networks.disparity import scale_disparity
from monodepth_ros.ros.live.inputs import scale_inputs
from monodepth_ros.ros.transforms import TF_STATIC_QOS, TransformError

SECOND = 1_000_000_000
TENTH = SECOND // 10
RELIABLE = QoSProfile(depth=20, reliability=ReliabilityPolicy.RELIABLE)
FACTOR = 7.3  # metres per network unit, unknown to the node
STEP = 0.4  # metres from frame to frame
STATUS = "depth/status"


def see_ground(node, height_units, degrees_down=0.0):
    """Replace the depth network's output by a ground plane below a camera that looks down by an angle."""
    rows = np.arange(96)[:, None] + np.zeros((1, 320))
    y = (rows - (0.5 * 96 - 0.5)) / (1.92 * 96)
    angle = math.radians(degrees_down)
    inverse = np.maximum(math.cos(angle) * y + math.sin(angle), 0.0) / height_units
    far, near = scale_disparity(np.array([0.0, 1.0]), 0.1, 100.0)
    disparity = np.clip((inverse - far) / (near - far), 0, 1).astype(np.float32)
    node.engine.disparity = lambda image: disparity.copy()


def see_motion(node, metres=STEP):
    """Replace the pose network's output by motion straight ahead."""
    T_later_earlier = make_transform(np.eye(3), (0.0, 0.0, -metres / FACTOR))
    node.engine.motion = lambda earlier, later: T_later_earlier.copy()


def odometry(message_type, i):
    """The message of the robot's own odometry at the i-th image."""
    message = message_type()
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(SECOND + i * TENTH, SECOND)
    if message_type is Odometry:
        message.pose.pose.position.y = STEP * i
    else:
        twist = message.twist if message_type is TwistStamped else message.twist.twist
        twist.linear.x = STEP * 10
    return message


def drive(node, publisher, message_type, first, last):
    """Send images at 10 Hz with the robot's odometry; the last status."""
    for i in range(first, last):
        if publisher is not None:
            publisher.publish(odometry(message_type, i))
        found = node.exchange(SECOND + i * TENTH, topic=STATUS)
    return found


@pytest.mark.parametrize("message_type", [Odometry, TwistStamped, TwistWithCovarianceStamped])
def test_the_robots_odometry_gives_metres_to_a_relative_network(harness, relative_checkpoint, message_type):
    node = harness(
        relative_checkpoint, scale__source="odometry", scale__odometry_topic="wheels", scale__time_constant=1.0
    )
    see_motion(node)
    node.send_info()
    publisher = node.client.create_publisher(message_type, "wheels", RELIABLE)
    node.wait(lambda: publisher.get_subscription_count() == 1, message="the node does not listen to wheels")
    first = drive(node, publisher, message_type, 0, 1)
    assert first.scale_state == first.SCALE_STATE_WAITING and math.isnan(first.scale) and first.valid_ratio == 0
    depth = np.frombuffer(node.output(SECOND, "depth/image").data, np.float32)
    assert np.isnan(depth).all(), "depth without a known scale"
    node.settle(0.2)
    assert node.received["odom"][-1].pose.covariance[0] > 0
    last = drive(node, publisher, message_type, 1, 40)
    assert last.scale == pytest.approx(FACTOR, rel=0.02)
    assert (last.scale_source, last.scale_state) == (last.SCALE_ODOMETRY, last.SCALE_STATE_MEASURED)
    assert 0 < last.scale_uncertainty < 0.1 and last.valid_ratio == 1
    assert last.odometry_state == last.ODOMETRY_TRACKING
    speed = node.received["odom"][-1].twist.twist.linear
    assert math.hypot(speed.x, speed.y, speed.z) == pytest.approx(10 * STEP, rel=0.02)


def is_connected(node):
    try:
        node.stream.scale_inputs.transforms.lookup("base_link", "camera_optical", 0, 0.0)
    except TransformError:
        return False
    return True


def test_in_a_turn_the_path_of_the_camera_counts(harness, relative_checkpoint):
    """The axle drives a circle of 2 m radius; a camera 1.5 m in front of it moves 25 % further."""
    node = harness(
        relative_checkpoint, scale__source="odometry", scale__odometry_topic="wheels", scale__time_constant=1.0
    )
    turn, radius, ahead = 0.1, 2.0, 1.5
    see_motion(node, turn * math.hypot(radius, ahead))
    node.send_info()
    publisher = node.client.create_publisher(TwistStamped, "wheels", RELIABLE)
    broadcaster = node.client.create_publisher(TFMessage, "/tf_static", TF_STATIC_QOS)
    node.wait(lambda: publisher.get_subscription_count() == 1)

    def turn_on(first, last):
        for i in range(first, last):
            message = TwistStamped()
            message.header.frame_id = "base_link"
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(SECOND + i * TENTH, SECOND)
            message.twist.linear.x, message.twist.angular.z = 10 * turn * radius, 10 * turn
            publisher.publish(message)
            found = node.exchange(SECOND + i * TENTH, topic=STATUS)
        return found

    without = turn_on(0, 20)
    assert without.scale_state == without.SCALE_STATE_WAITING, "a turn was compared with the axle's way"
    assert any("turns are left out" in text for text in node.health().messages)
    camera = stamped("base_link", "camera_optical", make_transform(R_BODY_OPTICAL, (ahead, 0, 0.8)))
    broadcaster.publish(TFMessage(transforms=[camera]))
    node.wait(lambda: is_connected(node), message="TF did not arrive")
    known = turn_on(20, 60)
    assert known.scale_state == known.SCALE_STATE_MEASURED and known.scale == pytest.approx(FACTOR, rel=0.01)


def test_when_the_robots_odometry_stops_the_scale_is_held_with_growing_uncertainty(harness, relative_checkpoint):
    node = harness(
        relative_checkpoint, scale__source="odometry", scale__odometry_topic="wheels", scale__time_constant=1.0
    )
    see_motion(node)
    node.send_info()
    publisher = node.client.create_publisher(Odometry, "wheels", RELIABLE)
    node.wait(lambda: publisher.get_subscription_count() == 1)
    measured = drive(node, publisher, Odometry, 0, 30)
    held = drive(node, None, Odometry, 30, 90)
    assert (held.scale, held.scale_state) == (pytest.approx(measured.scale, rel=1e-6), held.SCALE_STATE_HELD)
    assert held.scale_uncertainty > measured.scale_uncertainty
    assert node.node.trigger_deactivate().name == "SUCCESS"
    node.wait(lambda: publisher.get_subscription_count() == 0, message="an inactive node listens")


def test_an_invalid_topic_name_fails_to_activate_and_releases_everything(harness, relative_checkpoint):
    node = harness(relative_checkpoint, start=False, scale__source="odometry", scale__odometry_topic="no topic")
    assert node.node.trigger_configure().name == "SUCCESS"
    timers = len(list(node.node.timers))
    assert node.node.trigger_activate().name == "FAILURE"
    assert len(list(node.node.timers)) == timers


def test_tf_gives_the_cameras_height_and_tilt(harness, relative_checkpoint):
    """A camera 0.6 m above base_footprint that looks down by 10 degrees, over two transforms in TF."""
    node = harness(relative_checkpoint, scale__source="camera_height", odometry__enabled=False)
    height = 0.6
    R_down = axis_angle_to_rotation((0, math.radians(10), 0))
    broadcaster = node.client.create_publisher(TFMessage, "/tf_static", TF_STATIC_QOS)
    see_ground(node, height / FACTOR, degrees_down=10)
    node.send_info()
    waiting = node.exchange(SECOND, topic=STATUS)
    assert waiting.scale_state == waiting.SCALE_STATE_WAITING and math.isnan(waiting.scale)
    mast = stamped("base_footprint", "mast", make_transform(np.eye(3), (0.1, 0, 0.4)))
    camera = stamped("mast", "camera_optical", make_transform(R_down @ R_BODY_OPTICAL, (0, 0, 0.2)))
    broadcaster.publish(TFMessage(transforms=[mast, camera]))
    node.wait(lambda: node.stream.scale_inputs.mount("camera_optical").height > 0, message="TF did not arrive")
    pictures = []
    node.client.create_subscription(Image, "depth/ground", pictures.append, RELIABLE)
    node.wait(lambda: node.subscribers("depth/ground"))
    for i in range(1, 6):
        status = node.exchange(SECOND + i * TENTH, topic=STATUS)
    assert status.scale == pytest.approx(FACTOR, rel=0.01)
    assert (status.scale_source, status.scale_state) == (status.SCALE_CAMERA_HEIGHT, status.SCALE_STATE_MEASURED)
    node.wait(lambda: pictures)
    assert (pictures[-1].encoding, pictures[-1].width, pictures[-1].height) == ("bgr8", 320, 96)
    assert pictures[-1].header.frame_id == "camera_optical"
    health = node.health()
    assert health.values["scale state"] == "Measured" and "camera height" in health.values["scale"]


def test_a_change_of_source_does_not_make_depth_jump(harness, depth_checkpoint):
    """The checkpoint states 2 m per unit; the camera's height, set at run time, gives 7.3."""
    node = harness(depth_checkpoint)
    see_ground(node, 1.5 / FACTOR)
    node.send_info()
    before = node.exchange(SECOND, topic=STATUS)
    assert (before.scale, before.scale_state) == (2.0, before.SCALE_STATE_STATED)
    assert node.set(scale__camera_height=1.5, scale__source="camera_height", scale__time_constant=1.0).successful
    found = [node.exchange(SECOND + i * TENTH, topic=STATUS) for i in range(1, 80)]
    factors = np.array([before.scale, *(s.scale for s in found)])
    assert np.abs(np.diff(np.log(factors))).max() < 0.15
    assert {s.scale_state for s in found[:20]} == {before.SCALE_STATE_CHANGING}
    assert found[-1].scale == pytest.approx(FACTOR, rel=0.01) and found[-1].scale_state == before.SCALE_STATE_MEASURED


def test_odometry_as_source_without_its_topic_is_refused(harness, relative_checkpoint, depth_checkpoint):
    node = harness(depth_checkpoint)
    result = node.set(scale__source="odometry")
    assert not result.successful and "scale.odometry_topic" in result.reason
    assert not node.node.set_parameters([Parameter("scale.odometry_topic", value="wheels")])[0].successful


def test_a_topic_without_odometry_is_reported_in_the_diagnostics(harness, relative_checkpoint):
    node = harness(relative_checkpoint, scale__source="odometry", scale__odometry_topic="wheels")
    node.wait(lambda: any("no odometry on /wheels" in text for text in node.health().messages))
    node.client.create_publisher(Image, "wheels", RELIABLE)
    node.wait(lambda: any("send sensor_msgs/msg/Image" in text for text in node.health().messages))
    assert node.health().values["scale state"] == "Waiting"


def test_odometry_of_another_clock_than_the_images_is_named(harness, depth_checkpoint):
    node = harness(depth_checkpoint, scale__source="auto", scale__odometry_topic="wheels")
    publisher = node.client.create_publisher(Odometry, "wheels", RELIABLE)
    node.send_info()
    node.wait(publisher.get_subscription_count)
    said = lambda: [text for text in node.health().messages if "is not used: its stamps are" in text]  # noqa: E731
    for i in range(10):
        publisher.publish(odometry(Odometry, i))
        node.wait(lambda: node.stream.scale_inputs._travel.newest_ns == SECOND + i * TENTH)
        node.exchange(SECOND + i * TENTH + (3600 * SECOND if i >= 2 else 0))
        assert bool(said()) == (i >= 7), (i, said())
    assert "on wheels is not used: its stamps are 3.6e+03 s behind those of the images" in said()[0]


def test_odometry_of_another_type_than_the_stated_one_is_named(harness, relative_checkpoint, monkeypatch):
    monkeypatch.setattr(scale_inputs, "SILENCE", 0.2)
    node = harness(
        relative_checkpoint, scale__source="odometry", scale__odometry_topic="wheels", scale__odometry_type="Odometry"
    )
    node.wait(lambda: any("no odometry on /wheels: it has no publisher" in text for text in node.health().messages))
    node.client.create_publisher(TwistStamped, "wheels", RELIABLE)
    words = "send geometry_msgs/msg/TwistStamped, expected Odometry; set scale.odometry_type to auto"
    node.wait(lambda: any(words in text for text in node.health().messages))
