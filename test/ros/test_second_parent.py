# SPDX-License-Identifier: Apache-2.0
"""The odometry's transform over DDS while other nodes publish the same frames: no frame gets two parents from it."""

import time

import numpy as np
import pytest
from stamped_transform import stamped
from tf2_msgs.msg import TFMessage

from monodepth_ros.geometry.motion import exp_se3, invert
from monodepth_ros.ros import frame_tree
from monodepth_ros.ros.live import moving_base
from monodepth_ros.ros.transforms import TF_QOS, TF_STATIC_QOS

SECOND = 1_000_000_000
TENTH = SECOND // 10
STEP = exp_se3(np.array([0.0, 0.0, 0.5, 0.0, 0.02, 0.0]))
OTHERS = 7  # nanoseconds by which the other node's stamps differ from the images'
MOUNT = ("base_link", "camera_optical")


class Robot:
    """A node whose camera goes ahead, and another node that publishes transforms."""

    def __init__(self, node):
        self.node, self.stamp_ns = node, SECOND
        self._topics = {
            topic: node.client.create_publisher(TFMessage, topic, qos)
            for topic, qos in (("/tf", TF_QOS), ("/tf_static", TF_STATIC_QOS))
        }
        node.wait(lambda: all(found.get_subscription_count() for found in self._topics.values()))

    @property
    def tree(self):
        return self.node.stream.odometry_output.transforms.tree

    def publish(self, topic, parent, child):
        """Another node's transform, and wait until it is heard."""
        self._topics[topic].publish(TFMessage(transforms=[stamped(parent, child, np.eye(4), self.stamp_ns + OTHERS)]))
        self.node.wait(lambda: any(found.name == parent for found in self.tree.parents_of(child)))

    def drive(self, count):
        """Send images and wait for their odometry; the links of our own transforms for them."""
        first = self.stamp_ns
        for _ in range(count):
            self.node.exchange(self.stamp_ns, topic="odom")
            self.stamp_ns += TENTH
        self.node.settle(0.05)
        return self.own(first)

    def own(self, first=0):
        return [
            (item.header.frame_id, item.child_frame_id)
            for message in self.node.received["/tf"]
            for item in message.transforms
            if "odom" in (item.header.frame_id, item.child_frame_id)
            and item.header.stamp.sec * SECOND + item.header.stamp.nanosec >= first
            and item.header.stamp.nanosec % 10 != OTHERS
        ]

    def problem(self):
        """The problem about /tf in the diagnostics."""
        found = [text for text in self.node.health().messages if "no /tf from" in text]
        return found[0] if found else ""


@pytest.fixture
def robot(harness, pose_checkpoint, monkeypatch):
    monkeypatch.setattr(moving_base, "SETTLING", 0.0)

    def make(**parameters):
        node = harness(
            pose_checkpoint, scale__source="fixed", scale__factor=1.0, tf_timeout=1.0,
            listen=("odom", "/tf", "/diagnostics"), **parameters,
        )  # fmt: skip
        node.engine.motion = lambda earlier, later: invert(STEP)
        node.send_info()
        return Robot(node)

    return make


OURS = {False: ("odom", "base_link"), True: ("base_link", "odom")}


@pytest.mark.parametrize(
    ("inverted", "other", "topic"),
    [
        (False, ("map", "base_link"), "/tf"),
        (False, ("map", "base_link"), "/tf_static"),
        (False, ("odom", "base_link"), "/tf"),
        (False, ("base_link", "odom"), "/tf_static"),
        (True, ("map", "odom"), "/tf"),
        (True, ("odom", "base_link"), "/tf"),
    ],
)
def test_a_parent_that_comes_later_ends_our_transform_and_names_both_the_node_and_the_remedy(
    robot, inverted, other, topic, capfd
):
    robot = robot(base_frame="base_link", invert_odom_tf=inverted)
    robot.publish("/tf_static", *MOUNT)
    assert robot.drive(3)[-2:] == [OURS[inverted]] * 2
    robot.publish(topic, *other)
    assert robot.drive(4) == [], "ours goes on"
    text = robot.problem()
    assert all(f"'{name}'" in text for name in {*other, *OURS[inverted]}), text
    assert "publish_tf" in text and ("odom_frame" in text or "invert_odom_tf" in text), text
    assert f"on {topic}" in text and "/client" in text and "/depth_node" not in text, text
    assert "no /tf from" in capfd.readouterr().err


@pytest.mark.parametrize("base_frame", ["", "auto"])
def test_a_parent_of_the_camera_on_tf_is_seen_without_a_base(robot, base_frame):
    robot = robot(base_frame=base_frame)
    assert set(robot.drive(3)) == {("odom", "camera_optical")}
    robot.publish("/tf", "head", "camera_optical")
    assert robot.drive(3) == []
    assert "'head'" in robot.problem() and "base_frame" in robot.problem()


def test_our_transform_comes_back_once_the_other_one_is_silent_and_not_between_its_transforms(robot, monkeypatch):
    clock = [time.monotonic()]

    class Clock:
        monotonic = staticmethod(lambda: clock[0])

    robot = robot(base_frame="base_link")
    robot.publish("/tf_static", *MOUNT)
    monkeypatch.setattr(frame_tree, "time", Clock)
    robot.publish("/tf", "map", "base_link")
    assert robot.drive(2) == []
    clock[0] += frame_tree.SILENCE + 1.0
    assert robot.drive(2) == [OURS[False]] * 2, "the other one has ended"
    robot.publish("/tf", "map", "base_link")  # it was only slow
    assert robot.drive(2) == []
    clock[0] += frame_tree.SILENCE + 1.0
    assert robot.drive(2) == [], "between two transforms of a slow publisher"


def test_the_camera_that_moves_the_robot_among_several_gives_no_second_parent(harness, pose_checkpoint, monkeypatch):
    monkeypatch.setattr(moving_base, "SETTLING", 0.0)
    node = harness(
        pose_checkpoint, listen=(), start=False, cameras=["front", "rear"], odometry__camera="rear",
        scale__source="fixed", scale__factor=1.0, base_frame="base_link",
    )  # fmt: skip
    assert node.node.trigger_configure().name == node.node.trigger_activate().name == "SUCCESS"
    output = node.node.streams[1].odometry_output
    assert output is not None and node.node.streams[0].odometry_output is None
    other = node.client.create_publisher(TFMessage, "/tf", TF_QOS)
    node.wait(other.get_subscription_count)
    other.publish(TFMessage(transforms=[stamped("map", "base_link", np.eye(4), SECOND)]))
    node.wait(lambda: output.transforms.tree.parents_of("base_link"))
    output._base.choose("rear_optical")
    reason = output._base.reason_against_tf(node.node.config)
    assert "'map'" in reason and "/client" in reason, reason


def test_two_parents_on_the_way_to_the_camera_are_named(robot):
    robot = robot(base_frame="base_link")
    robot.publish("/tf_static", *MOUNT)
    robot.publish("/tf", "wall", "camera_optical")
    robot.drive(1)
    (text,) = [text for text in robot.node.health().messages if "parents in TF" in text]
    assert "'base_link' on /tf_static" in text and "'wall' on /tf" in text and "/client" in text, text


def test_static_parents_are_disputed_unless_their_only_publisher_has_replaced_one(robot, monkeypatch):
    clock = [time.monotonic()]
    monkeypatch.setattr(frame_tree, "time", type("Clock", (), {"monotonic": staticmethod(lambda: clock[0])}))
    robot = robot(base_frame="base_link")
    robot.publish("/tf_static", *MOUNT)
    clock[0] += frame_tree.SILENCE + 1.0
    robot.publish("/tf_static", "chassis", MOUNT[1])
    base = robot.node.stream.odometry_output._base
    base.choose(MOUNT[1])
    assert base.dispute() == ""
    other = robot.node.client.create_publisher(TFMessage, "/tf_static", TF_STATIC_QOS)
    robot.node.wait(lambda: robot.node.node.count_publishers("/tf_static") == 2)
    assert "'base_link' on /tf_static" in base.dispute() and "'chassis' on /tf_static" in base.dispute()
    robot.node.client.destroy_publisher(other)


def test_another_camera_frame_of_the_same_base_is_no_other_moving_frame(robot, capfd):
    base = robot(base_frame="base_link").node.stream.odometry_output._base
    for camera in (MOUNT[1], "another_optical"):
        base.choose(camera)
    said = capfd.readouterr().err
    assert "now by the camera of frame another_optical" in said, said
    assert "no longer of" not in said, said


def test_a_transform_that_is_no_number_is_left_out_by_name_and_the_odometry_goes_on(robot):
    robot = robot(base_frame="base_link")
    robot.publish("/tf_static", *MOUNT)
    bad = stamped("map", "base_link", np.eye(4), SECOND)
    bad.transform.translation.x = float("nan")
    robot._topics["/tf"].publish(TFMessage(transforms=[bad]))
    robot.node.wait(lambda: any("is passed over" in text for text in robot.node.health().messages))
    (text,) = [text for text in robot.node.health().messages if "is passed over" in text]
    assert "on /tf is passed over: 'map' -> 'base_link'" in text and "translation" in text
    assert robot.drive(3)[-2:] == [OURS[False]] * 2


def test_a_changed_direction_says_that_listeners_must_be_restarted(robot, capfd):
    robot = robot(base_frame="base_link")
    robot.publish("/tf_static", *MOUNT)
    robot.drive(2)
    assert robot.node.set(invert_odom_tf=True).successful
    assert robot.drive(2) == [OURS[True]] * 2 and not robot.problem()
    assert "restart the listeners" in capfd.readouterr().err
