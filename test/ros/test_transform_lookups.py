# SPDX-License-Identifier: Apache-2.0
"""The same conformance tests for every implementation of the transform look-up that is installed here."""

import threading
import time

import numpy as np
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from stamped_transform import stamped
from tf2_msgs.msg import TFMessage

from monodepth_ros.geometry.motion import axis_angle_to_rotation, interpolate, make_transform
from monodepth_ros.ros import transforms
from monodepth_ros.ros.transforms import Tf2Transforms, TopicTransforms, TransformError

SECOND = 1_000_000_000
LOOKUPS = ["topics", pytest.param("tf2", marks=pytest.mark.skipif(transforms.tf2_ros is None, reason="no tf2_ros"))]
MAST = make_transform(axis_angle_to_rotation((0.0, 0.0, 0.3)), np.array((0.0, 0.0, 1.0)))
LENS = make_transform(axis_angle_to_rotation((-1.2, 1.2, -1.2)), np.array((0.1, 0.0, 0.0)))


def head(stamp_ns):
    """The transform of a pan-tilt head that turns and moves on its mast."""
    seconds = stamp_ns / SECOND % 10
    return make_transform(axis_angle_to_rotation((0.0, seconds, 0.0)), np.array((0.0, seconds, 0.0)))


class World:
    """A node with a look-up, and publishers of /tf and /tf_static, over DDS."""

    def __init__(self, kind):
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node("looker", context=self.context)
        self.lookup = (Tf2Transforms if kind == "tf2" else TopicTransforms)(self.node, print)
        self.static = self.node.create_publisher(TFMessage, "/tf_static", transforms.TF_STATIC_QOS)
        self.moving = self.node.create_publisher(TFMessage, "/tf", transforms.TF_QOS)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.thread = threading.Thread(target=self.executor.spin, daemon=True)
        self.thread.start()
        self.static.publish(TFMessage(transforms=[stamped("base", "mast", MAST), stamped("/head", "/camera", LENS)]))
        while not (self.moving.get_subscription_count() and self.static.get_subscription_count()):
            time.sleep(0.01)

    def move(self, *stamps):
        self.moving.publish(TFMessage(transforms=[stamped("mast", "head", head(s), s) for s in stamps]))

    def close(self):
        self.executor.shutdown()
        self.thread.join(5)
        self.lookup.close()
        self.node.destroy_node()
        self.context.try_shutdown()


@pytest.fixture(params=LOOKUPS)
def world(request):
    made = World(request.param)
    yield made
    made.close()


def test_chains_of_static_and_moving_frames_are_followed_and_interpolated_as_tf2_does(world):
    begin, end = 101 * SECOND, 102 * SECOND
    world.move(begin, end)
    np.testing.assert_allclose(world.lookup.lookup("base", "camera", end, 5.0), MAST @ head(end) @ LENS, atol=1e-9)
    middle = interpolate(head(begin), head(end), 0.25)
    middle[:3, 3] = 0.75 * head(begin)[:3, 3] + 0.25 * head(end)[:3, 3]
    found = world.lookup.lookup("base", "camera", begin + SECOND // 4, 0.0)
    np.testing.assert_allclose(found, MAST @ middle @ LENS, atol=1e-9)
    np.testing.assert_allclose(
        world.lookup.lookup("camera", "base", begin + SECOND // 4, 0.0), np.linalg.inv(found), atol=1e-9
    )
    np.testing.assert_allclose(world.lookup.lookup("/base", "/camera", 0, 0.0), MAST @ head(end) @ LENS, atol=1e-9)


def test_the_parents_of_frames_are_known(world):
    world.move(101 * SECOND)
    world.lookup.lookup("base", "camera", 101 * SECOND, 5.0)
    parents = {frame: world.lookup.tree.parent_of(frame) for frame in ("/camera", "head", "mast", "base")}
    assert parents == {"/camera": ("head", True), "head": ("mast", False), "mast": ("base", True), "base": None}


def test_an_unknown_transform_is_an_error_after_the_timeout(world):
    world.move(101 * SECOND)
    world.lookup.lookup("base", "camera", 101 * SECOND, 5.0)
    for target, source, stamp_ns, said in (
        ("base", "camera", 100 * SECOND, "101.0"),
        ("base", "camera", 102 * SECOND, "101.0"),
        ("base", "elsewhere", 101 * SECOND, "no transform connects 'elsewhere' with 'base': publish one"),
        ("elsewhere", "camera", 101 * SECOND, "no transform connects 'camera' with 'elsewhere': publish one"),
        ("base", "", 101 * SECOND, ""),
    ):
        with pytest.raises(TransformError) as raised:
            world.lookup.lookup(target, source, stamp_ns, 0.01)
        assert said in str(raised.value) and "\n" not in str(raised.value)


def test_a_lookup_waits_for_its_transform(world):
    world.move(101 * SECOND)
    world.lookup.lookup("base", "camera", 101 * SECOND, 5.0)
    later = threading.Timer(0.2, world.move, args=(102 * SECOND,))
    later.start()
    found = world.lookup.lookup("base", "camera", 102 * SECOND, 5.0)
    np.testing.assert_allclose(found, MAST @ head(102 * SECOND) @ LENS, atol=1e-9)


def test_a_looping_recording_is_followed(world):
    world.move(100 * SECOND)
    world.lookup.lookup("base", "camera", 100 * SECOND, 5.0)
    for _ in range(100):  # a moving robot goes on telling
        world.move(41 * SECOND)
        try:
            found = world.lookup.lookup("base", "camera", 41 * SECOND, 0.05)
            break
        except TransformError as error:
            found = str(error)
    np.testing.assert_allclose(found, MAST @ head(41 * SECOND) @ LENS, atol=1e-9)


def test_closing_leaves_no_subscription_and_no_thread(world):
    threads = threading.active_count()
    before = len(list(world.node.subscriptions))
    kind = type(world.lookup)
    for _ in range(20):
        kind(world.node, print).close()
    assert len(list(world.node.subscriptions)) == before and threading.active_count() == threads
