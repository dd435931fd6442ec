# SPDX-License-Identifier: Apache-2.0
"""Single wrong messages on every input of a running node, over DDS: each is named, and the next frame is whole."""

import numpy as np
import pytest
from geometry_msgs.msg import TransformStamped
from nav_msgs.msg import Odometry
from node_log import log_lines
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, Imu, RegionOfInterest
from tf2_msgs.msg import TFMessage

SECOND = 1_000_000_000
HUGE, NAN, LARGEST = 1e300, float("nan"), 2**32 - 1
HOSTILE = "evil \x1b[2J\nfake line " + "x" * 5000
MANY = QoSProfile(depth=50, reliability=ReliabilityPolicy.RELIABLE)

INFOS = {
    "K of NaN": (dict(k=[NAN] * 9), "expected finite numbers"),
    "huge K": (dict(k=[HUGE, 0, 1, 0, HUGE, 1, 0, 0, 1]), "K is"),
    "negative focal length": (dict(k=[-100.0, 0, 160, 0, 100, 48, 0, 0, 1]), "above 0"),
    "no calibration any more": (dict(k=[0.0] * 9, p=[0.0] * 12), "holds no calibration"),
    "a thousand coefficients": (dict(d=[0.1] * 1000), "1000 distortion coefficients"),
    "R of ones": (dict(r=[1.0] * 9), "R is"),
    "P singular": (dict(p=[1.0] * 12), "P is"),
    "huge size": (dict(width=LARGEST, height=LARGEST), "image size is"),
    "huge binning": (dict(binning_x=LARGEST), "leaves no pixel"),
    "roi elsewhere": (dict(roi=RegionOfInterest(x_offset=LARGEST, width=9, height=9)), "which leaves the"),
    "hostile model": (dict(distortion_model=HOSTILE, d=[0.1] * 5), "distortion model is 'evil"),
}
IMAGES = {
    "step of 1": (dict(step=1), "smaller than a row"),
    "huge step": (dict(step=LARGEST), "too short"),
    "huge size": (dict(width=LARGEST, height=LARGEST, step=LARGEST), "claims 4294967295x4294967295 pixels"),
    "too long a side": (dict(width=70_000, height=1, step=210_000), "65536 a side"),
    "no encoding": (dict(encoding=""), "encoding"),
    "hostile encoding": (dict(encoding=HOSTILE), "encoding"),
    "no data": (dict(data=[]), "data"),
    "0x0": (dict(width=0, height=0), "empty image"),
}


def camera_info(fx=0.58, frame="camera_optical"):
    """The calibration of the training camera."""
    message = CameraInfo(width=320, height=96, distortion_model="plumb_bob", d=[0.0] * 5)
    message.header.frame_id = frame
    message.k = [fx * 320, 0.0, 159.5, 0.0, 1.92 * 96, 47.5, 0.0, 0.0, 1.0]
    message.r = np.eye(3).reshape(-1)
    message.p = [*message.k[:3], 0.0, *message.k[3:6], 0.0, *message.k[6:], 0.0]
    return message


def with_changes(message, changes):
    for name, value in changes.items():
        setattr(message, name, value)
    return message


def whole_frame(node, name):
    """Send a frame that must give depth and odometry with finite covariance."""
    stamp_ns = node.next_stamp()
    odometry = node.exchange(stamp_ns, topic="odom")
    assert np.isfinite(odometry.pose.covariance).all() and odometry.pose.covariance[0] < 1e3, name
    assert node.output(stamp_ns, "depth/image").header.frame_id == "camera_optical", name


def test_one_impossible_camera_info_is_passed_over(harness, pose_checkpoint, capfd):
    node = harness(pose_checkpoint, listen=("odom", "depth/image", "/diagnostics"))
    node.send_info()
    whole_frame(node, "first")
    log_lines(capfd)
    announced = []
    node.stream.intake._input.calibration._warn = announced.append
    for name, (changes, words) in INFOS.items():
        count = len(announced)
        node.infos.publish(with_changes(camera_info(), changes))
        node.wait(lambda: len(announced) > count, message=name)
        assert words in announced[-1] and "camera_info on /camera_info is passed over" in announced[-1], announced[-1]
        assert announced[-1].isprintable() and len(announced[-1]) <= 2000
        whole_frame(node, name)
        node.send_info()
    assert node.settled_counts()["frames_invalid"] == 0


def test_a_lasting_impossible_camera_info_is_an_error(harness, pose_checkpoint):
    node = harness(pose_checkpoint, listen=("odom", "depth/image", "/diagnostics"))
    node.send_info()
    whole_frame(node, "first")
    node.send_info(with_changes(camera_info(), dict(d=[0.1] * 1000)))
    node.expect_dropped(lambda: node.send(node.next_stamp()))
    node.diagnosis("/camera_info", "1000 distortion coefficients")


def test_one_impossible_image_is_counted_and_named(harness, pose_checkpoint):
    node = harness(pose_checkpoint, listen=("odom", "depth/image", "/diagnostics"))
    node.send_info()
    whole_frame(node, "first")
    for name, (changes, words) in IMAGES.items():
        image = Image(width=320, height=96, step=960, encoding="rgb8", data=np.zeros(960 * 96, np.uint8).tobytes())
        image.header = node.header(node.next_stamp())
        node.expect_dropped(lambda: node.images.publish(with_changes(image, changes)))
        texts = [problem.message for problem in node.stream.problems.current() if problem.is_error]
        assert words in texts[0] and texts[0].isprintable() and len(texts[0]) <= 2000, (name, texts)
        whole_frame(node, name)


@pytest.fixture
def robot(harness, pose_checkpoint):
    """A node with an IMU, wheel odometry and a base; publishers of all three in `client`."""
    node = harness(
        pose_checkpoint,
        listen=("odom", "depth/image", "/diagnostics"),
        odometry__imu_topic="imu",
        scale__source="odometry",
        scale__odometry_topic="wheels",
        base_frame="base_link",
    )
    node.imu = node.client.create_publisher(Imu, "imu", MANY)
    node.wheels = node.client.create_publisher(Odometry, "wheels", MANY)
    node.tf = node.client.create_publisher(TFMessage, "/tf", MANY)
    node.send_info()
    node.wait(lambda: all(one.get_subscription_count() for one in (node.imu, node.wheels, node.tf)))
    return node


def stamped(message, stamp_ns, frame):
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, SECOND)
    message.header.frame_id = frame
    return message


def imu(stamp_ns, rate=(0.0, 0.0, 0.0), frame="camera_optical"):
    message = stamped(Imu(), stamp_ns, frame)
    message.angular_velocity.x, message.angular_velocity.y, message.angular_velocity.z = rate
    return message


def wheels(stamp_ns, x=0.0, frame="base_link", quaternion=1.0):
    message = stamped(Odometry(child_frame_id=frame), stamp_ns, "wheel_odom")
    message.pose.pose.position.x, message.pose.pose.orientation.w = x, quaternion
    return message


def transform(stamp_ns, x=0.1, child="camera_optical", quaternion=1.0):
    item = stamped(TransformStamped(child_frame_id=child), stamp_ns, "base_link")
    item.transform.translation.x, item.transform.rotation.w = x, quaternion
    return TFMessage(transforms=[item])


WRONG = {
    "huge rate": ("imu", lambda ns: imu(ns, (HUGE, 0.0, 0.0)), "rad/s is passed over"),
    "rate of NaN": ("imu", lambda ns: imu(ns, (NAN, 0.0, 0.0)), "not finite"),
    "rate of the future": ("imu", lambda ns: imu(ns + 10**18), "ahead of the one before"),
    "rate of nowhere": ("imu", lambda ns: imu(ns, frame="nowhere"), "'nowhere'"),
    "rate of a hostile frame": ("imu", lambda ns: imu(ns, frame=HOSTILE), "a frame_id that has 5020 characters"),
    "pose of NaN": ("wheels", lambda ns: wheels(ns, NAN), "position is"),
    "far pose": ("wheels", lambda ns: wheels(ns, 1e7), "jumps by 1e+07 m"),
    "pose without rotation": ("wheels", lambda ns: wheels(ns, quaternion=0.0), "quaternion is"),
    "pose without stamp": ("wheels", lambda ns: wheels(0), "no stamp"),
    "pose of a hostile frame": ("wheels", lambda ns: wheels(ns, frame=HOSTILE), "5020 characters"),
    "transform of NaN": ("tf", lambda ns: transform(ns, NAN), ""),
    "far transform": ("tf", lambda ns: transform(ns, HUGE), ""),
    "transform without rotation": ("tf", lambda ns: transform(ns, quaternion=0.0), ""),
    "transform of the future": ("tf", lambda ns: transform(ns + 10**18), ""),
    "transform of a hostile frame": ("tf", lambda ns: transform(ns, child=HOSTILE), ""),
}


def test_one_wrong_sample_of_the_robot_is_named_and_odometry_goes_on(robot, capfd):
    def feed(stamp_ns):
        for part in range(10):
            robot.imu.publish(imu(stamp_ns + part * SECOND // 100))
        robot.wheels.publish(wheels(stamp_ns))
        robot.tf.publish(transform(stamp_ns))
        robot.tf.publish(transform(stamp_ns + SECOND // 10))
        robot.settle(0.02)

    log_lines(capfd)
    seen = []
    problems = robot.stream.problems
    noted, problems.note = problems.note, lambda kind, text, **how: (seen.append(text), noted(kind, text, **how))[1]
    for _ in range(3):
        feed(robot.stamp_ns + SECOND // 10)
        robot.exchange(robot.next_stamp(), topic="odom")
    for name, (topic, message, words) in WRONG.items():
        seen.clear()
        getattr(robot, topic).publish(message(robot.stamp_ns + SECOND // 10 + SECOND // 200))
        for _ in range(3):
            feed(robot.stamp_ns + SECOND // 10)
            odometry = robot.exchange(robot.next_stamp(), topic="odom")
            assert np.isfinite(odometry.pose.covariance).all(), name
        assert any(words in text for text in seen) or not words, (name, seen)
    counts = robot.settled_counts()
    assert (counts["frames_invalid"], counts["frames_failed"]) == (0, 0), counts
    lines = log_lines(capfd)
    assert any("a transform on /tf is passed over" in line for line in lines)
    assert all(line.isprintable() for line in lines)
    assert len([line for line in lines if "gyro: imu" in line]) <= 3, "one line of a cause in 5 s"


def test_calibrations_and_frames_that_alternate_do_not_log_every_frame(harness, pose_checkpoint, capfd):
    node = harness(pose_checkpoint, listen=("depth/image",))
    node.send_info()
    node.exchange(node.next_stamp())
    log_lines(capfd)
    for i in range(30):
        node.infos.publish(camera_info(0.58 + 0.2 * (i % 2), f"info{i % 3}"))
        frame = f"camera{i % 2}"
        node.send(node.next_stamp(), frame=frame)
        node.settle(0.03)
    node.settled_counts()
    assert len(log_lines(capfd)) <= 12


def test_camera_infos_have_frames_of_bounded_names(harness, depth_checkpoint):
    node = harness(depth_checkpoint, listen=("depth/image",))
    node.infos.publish(camera_info(frame=HOSTILE))
    node.wait(lambda: isinstance(node.stream.intake.camera_info, CameraInfo))
    assert node.stream.intake.camera_info.header.frame_id == ""
