# SPDX-License-Identifier: Apache-2.0
"""An IMU beside the camera, over DDS: tracking through blur, and unusable gyros."""

import math

import cv2
import numpy as np
import pytest
from geometry_msgs.msg import TransformStamped
from nav_msgs.msg import Odometry
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Imu
from tf2_msgs.msg import TFMessage

from monodepth_ros.geometry.motion import R_BODY_OPTICAL, axis_angle_to_rotation
from monodepth_ros.networks.checkpoints.bundled_checkpoint import bundled_checkpoint
from monodepth_ros.odometry.covariance import UNKNOWN_VARIANCE
from monodepth_ros.ros.interop import quaternion_from_rotation
from monodepth_ros.ros.live.inputs import gyro_input
from monodepth_ros.ros.transforms import TF_STATIC_QOS, TransformError
from monodepth_ros.synthetic.drive import MOUNT, Drive, default_camera, mounted

SECOND = 1_000_000_000
TENTH = SECOND // 10
RATE = 100
BLURRED = range(6, 9)
R_BASE_IMU = axis_angle_to_rotation((0.0, 0.0, 2.0))
MANY = QoSProfile(depth=500, reliability=ReliabilityPolicy.RELIABLE)


@pytest.fixture(scope="module")
def drive():
    return Drive(1004, 1.3, 10.0, {"camera": mounted(default_camera(416, 128))})


@pytest.fixture(scope="module")
def pictures(drive):
    blur = lambda image: cv2.GaussianBlur(image, (0, 0), 16)  # noqa: E731
    return [blur(frame.image) if frame.index in BLURRED else frame.image for frame in drive]


def mount(node, child, R_base_child, place=MOUNT):
    item = TransformStamped(child_frame_id=child)
    item.header.frame_id = "base_link"
    t, r = item.transform.translation, item.transform.rotation
    t.x, t.y, t.z = place
    r.x, r.y, r.z, r.w = (float(v) for v in quaternion_from_rotation(R_base_child))
    publisher = node.client.create_publisher(TFMessage, "/tf_static", TF_STATIC_QOS)
    publisher.publish(TFMessage(transforms=[item]))


@pytest.fixture
def start(harness):
    """A function that makes a node with a gyro, and the publisher of its IMU."""

    def make():
        node = harness(
            bundled_checkpoint(), listen=("odom", "/diagnostics"), odometry__source="features", publish_tf=False,
            odometry__imu_topic="imu",
        )  # fmt: skip
        message = CameraInfo(width=416, height=128, distortion_model="plumb_bob", d=[0.0] * 5)
        message.k = default_camera(416, 128).K.reshape(-1)
        node.send_info(message)
        publisher = node.client.create_publisher(Imu, "imu", MANY)
        node.wait(lambda: publisher.get_subscription_count() == 1, message="the node does not listen to imu")
        return node, publisher

    return make


def run(node, publisher, drive, pictures, spoil=lambda rate: rate):
    """Send images at 10 Hz with the rates up to each image; the odometry messages."""
    answers = []
    for i, picture in enumerate(pictures):
        for k in range(max(0, (i - 1) * RATE // 10 + 1), i * RATE // 10 + 1):
            rate = spoil(R_BASE_IMU.T @ drive.trajectory.twist(k / RATE)[3:])
            message = Imu()
            message.header.frame_id = "imu_link"
            stamp_ns = SECOND + k * SECOND // RATE
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, SECOND)
            w = message.angular_velocity
            w.x, w.y, w.z = (float(value) for value in rate)
            publisher.publish(message)
        node.wait(lambda: node.stream.gyro_input.newest_stamp_ns == stamp_ns, message="the rates did not arrive")
        answers.append(node.exchange(SECOND + i * TENTH, picture, topic="odom"))
    return answers


def is_lost(message: Odometry) -> bool:
    return message.pose.covariance[0] == UNKNOWN_VARIANCE


def problems(node):
    return [text for text in node.health().messages if "gyro" in text]


def test_a_blurred_stretch_stays_tracked(start, drive, pictures):
    node, publisher = start()
    mount(node, "camera_optical", R_BODY_OPTICAL)
    mount(node, "imu_link", R_BASE_IMU)
    node.wait(lambda: _connected(node), message="TF did not arrive")
    answers = run(node, publisher, drive, pictures)
    assert not any(is_lost(message) for message in answers), problems(node)
    blurred, sharp = answers[BLURRED[1]].twist.covariance, answers[4].twist.covariance
    assert blurred[0] > 20 * sharp[0], "a guessed translation is as sure as a measured one"
    p, start_pose, end_pose = answers[-1].pose.pose.position, drive.frame(0), drive.frame(len(pictures) - 1)
    way = np.linalg.norm(end_pose.T_world_camera[:3, 3] - start_pose.T_world_camera[:3, 3])
    assert math.dist((p.x, p.y, p.z), (0, 0, 0)) == pytest.approx(way, rel=0.08)
    assert "bias" in node.health().values["gyro"]


def _connected(node):
    try:
        node.stream.gyro_input.transforms.lookup("camera_optical", "imu_link", 0, 0.0)
    except TransformError:
        return False
    return True


@pytest.mark.parametrize("what", ["no transform", "not a number"])
def test_an_unusable_gyro_is_reported_once_and_the_odometry_goes_on(start, drive, pictures, what):
    node, publisher = start()
    if what == "not a number":
        mount(node, "camera_optical", R_BODY_OPTICAL)
        mount(node, "imu_link", R_BASE_IMU)
        node.wait(lambda: _connected(node))
    answers = run(node, publisher, drive, pictures[:5], lambda rate: rate * (math.nan if "number" in what else 1.0))
    assert not any(is_lost(message) for message in answers[1:])
    said = problems(node)
    assert (
        len(said) == 1 and {"no transform": "no transform connects", "not a number": "not finite"}[what] in said[0]
    ), said


def test_a_silent_imu_topic_is_reported_with_the_type_of_its_publishers(harness, depth_checkpoint):
    node = harness(depth_checkpoint, odometry__source="features", odometry__imu_topic="imu")
    node.send_info()
    node.client.create_publisher(Odometry, "imu", MANY)
    node.exchange(SECOND)
    node.settle(2.1)
    node.exchange(2 * SECOND)
    node.wait(lambda: problems(node))
    said = problems(node)
    assert len(said) == 1 and "no sensor_msgs/msg/Imu on /imu" in said[0] and "nav_msgs/msg/Odometry" in said[0], said


@pytest.mark.parametrize("count", [0, 1])
def test_an_imu_that_sends_nothing_costs_no_frame_its_odometry(harness, pose_checkpoint, count, monkeypatch):
    """More frames than the time offset of the gyro waits for."""
    monkeypatch.setattr(gyro_input, "SILENCE", 0.0)
    node = harness(pose_checkpoint, listen=("odom",), odometry__imu_topic="imu", publish_tf=False)
    node.engine.motion = lambda earlier, later: np.eye(4)
    node.send_info()
    publisher = node.client.create_publisher(Imu, "imu", MANY)
    node.wait(lambda: publisher.get_subscription_count() == 1)
    mount(node, "imu_link", np.eye(3))
    mount(node, "camera_optical", R_BODY_OPTICAL)
    node.wait(lambda: _connected(node))
    message = Imu()
    message.header.frame_id, message.header.stamp.sec = "imu_link", 1
    for _ in range(count):
        publisher.publish(message)
        node.wait(lambda: node.stream.gyro_input.newest_stamp_ns)
    answers = [node.exchange(SECOND + i * TENTH, topic="odom") for i in range(40)]
    assert not any(is_lost(answer) for answer in answers)
    assert node.settled_counts()["frames_failed"] == 0
    (said,) = problems(node)
    assert "no sensor_msgs/msg/Imu on /imu" in said and "nothing has come for" in said, said


def test_an_inactive_node_does_not_subscribe_to_the_imu(start):
    node, publisher = start()
    assert node.node.trigger_deactivate().name == "SUCCESS"
    node.wait(lambda: publisher.get_subscription_count() == 0, message="an inactive node listens")
