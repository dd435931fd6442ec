# SPDX-License-Identifier: Apache-2.0
"""base_frame auto over DDS: the trees of camera drivers and robots, late ones, and those with another odometry."""

import time

import numpy as np
import pytest
from stamped_transform import stamped
from tf2_msgs.msg import TFMessage

from monodepth_ros.geometry.motion import R_BODY_OPTICAL, exp_se3, invert, make_transform
from monodepth_ros.ros.interop import rotation_from_quaternion
from monodepth_ros.ros.live import moving_base
from monodepth_ros.ros.transforms import TF_QOS, TF_STATIC_QOS, TransformBuffer

SECOND = 1_000_000_000
TENTH = SECOND // 10
STEP = exp_se3(np.array([0.0, 0.0, 0.5, 0.0, 0.02, 0.0]))  # half a metre ahead, turning right
BODY = make_transform(np.eye(3), (0.1, 0.05, 0.02))
OPTICAL = make_transform(R_BODY_OPTICAL, np.zeros(3))
# Chains from the camera's frame upwards, as the drivers publish them.
TREES = {
    "RealSense": ("camera_color_optical_frame", "camera_color_frame", "camera_link"),
    "ZED": ("zed_left_camera_frame_optical", "zed_left_camera_frame", "zed_camera_center", "zed_camera_link"),
    "OAK": ("oak_rgb_camera_optical_frame", "oak_rgb_camera_frame", "oak", "oak-d-base-frame"),
    "robot": ("front_optical", "front_link", "mast", "base_link", "base_footprint"),
}


def tree(frames):
    """The static transforms of a chain from the camera upwards."""
    links = zip(frames[1:], frames[:-1])
    return [stamped(parent, child, OPTICAL if child == frames[0] else BODY) for parent, child in links]


@pytest.fixture
def start(harness, pose_checkpoint):
    """A function that makes a node with the default base_frame, whose camera goes ahead, and a publisher of trees."""

    def make(**parameters):
        node = harness(
            pose_checkpoint, scale__source="fixed", scale__factor=1.0, tf_timeout=1.0,
            listen=("odom", "/tf", "/diagnostics"), **({"base_frame": "auto"} | parameters),
        )  # fmt: skip
        node.engine.motion = lambda earlier, later: invert(STEP)
        node.send_info()
        static = node.client.create_publisher(TFMessage, "/tf_static", TF_STATIC_QOS)

        def publish(transforms):
            static.publish(TFMessage(transforms=transforms))
            known = node.stream.odometry_output.transforms.tree
            node.wait(lambda: all(known.parent_of(item.child_frame_id) for item in transforms))

        return node, publish

    return make


def drive(node, count, frame, start=SECOND):
    return [node.exchange(start + i * TENTH, topic="odom", frame=frame) for i in range(count)]


def own_transforms(node):
    return [item for m in node.received["/tf"] for item in m.transforms if item.header.frame_id == "odom"]


def pose_of(message):
    p, q = message.pose.pose.position, message.pose.pose.orientation
    return make_transform(rotation_from_quaternion((q.x, q.y, q.z, q.w)), (p.x, p.y, p.z))


def problems(node):
    return [text for text in node.health().messages if "/tf" in text]


@pytest.mark.parametrize("name", TREES)
def test_the_root_of_a_drivers_tree_moves_and_the_tree_hangs_together(start, name, monkeypatch):
    monkeypatch.setattr(moving_base, "SETTLING", 0.0)
    frames = TREES[name]
    node, publish = start()
    transforms = tree(frames)
    publish(transforms)
    messages = drive(node, 3, frames[0])
    assert {m.child_frame_id for m in messages} == {frames[-1]}
    node.wait(lambda: len(own_transforms(node)) == 3)
    item = own_transforms(node)[-1]
    assert item.child_frame_id == frames[-1] and not problems(node)
    # What RViz does: from the camera to odom, at the stamp of an image.
    listener = TransformBuffer()
    listener.add(TFMessage(transforms=transforms), is_static=True)
    listener.add(TFMessage(transforms=[item]), is_static=False)
    stamp_ns = item.header.stamp.sec * SECOND + item.header.stamp.nanosec
    index = (stamp_ns - SECOND) // TENTH
    T_base_camera = listener.lookup(frames[-1], frames[0], 0, 0.0)
    T_odom_camera = listener.lookup("odom", frames[0], stamp_ns, 0.0)
    np.testing.assert_allclose(T_odom_camera, T_base_camera @ np.linalg.matrix_power(STEP, index), atol=1e-6)
    assert "the root of the frames above" in node.health().values["odometry of"]


def test_a_tree_that_comes_late_is_taken_before_any_transform_is_published(start, capfd):
    frames = TREES["robot"]
    node, publish = start()
    first = drive(node, 2, frames[0])
    assert {m.child_frame_id for m in first} == {frames[0]}
    publish(tree(frames))
    later = drive(node, 3, frames[0], SECOND + 2 * TENTH)
    assert {m.child_frame_id for m in later} == {"base_footprint"}
    node.wait(lambda: len(own_transforms(node)) == 3)
    assert {item.child_frame_id for item in own_transforms(node)} == {"base_footprint"}
    # The trajectory is the base's from the first image on.
    X = BODY @ BODY @ BODY @ OPTICAL
    np.testing.assert_allclose(pose_of(later[-1]), X @ np.linalg.matrix_power(STEP, 4) @ invert(X), atol=1e-6)
    said = [line for line in capfd.readouterr().err.splitlines() if "odometry of" in line or "odometry now of" in line]
    assert len(said) == 1 and "odometry of base_footprint (the root of the frames above front_optical)" in said[0], said


def test_a_tree_that_comes_after_the_first_transforms_is_taken_with_one_warning(start, capfd, monkeypatch):
    monkeypatch.setattr(moving_base, "SETTLING", 0.0)
    frames = TREES["RealSense"]
    node, publish = start()
    drive(node, 2, frames[0])
    node.wait(lambda: len(own_transforms(node)) == 2)
    publish(tree(frames))
    drive(node, 3, frames[0], SECOND + 2 * TENTH)
    node.wait(lambda: len(own_transforms(node)) == 5)
    assert [item.child_frame_id for item in own_transforms(node)] == [frames[0]] * 2 + ["camera_link"] * 3
    said = [line for line in capfd.readouterr().err.splitlines() if "odometry now of" in line]
    assert len(said) == 1 and "camera_link" in said[0] and "restart the listeners" in said[0], said


def test_a_bare_camera_gets_its_transforms_once_no_tree_has_come(start, monkeypatch):
    monkeypatch.setattr(moving_base, "SETTLING", 0.5)
    node, _ = start()
    began = time.monotonic()
    messages = drive(node, 1, "camera")
    assert messages[0].child_frame_id == "camera"
    while not own_transforms(node):
        assert time.monotonic() < began + 20, "no transform of the odometry"
        messages += drive(node, 1, "camera", SECOND + len(messages) * TENTH)
        node.settle(0.05)
    assert time.monotonic() - began > 0.5, "a tree had no time to come"
    assert own_transforms(node)[0].child_frame_id == "camera" and not problems(node)


def test_a_panning_camera_moves_the_base_of_its_robot(start):
    node, publish = start()
    publish([stamped("base_link", "mast", BODY), stamped("pan", "camera", OPTICAL)])
    moving = node.client.create_publisher(TFMessage, "/tf", TF_QOS)
    node.wait(lambda: moving.get_subscription_count() >= 2)
    moving.publish(TFMessage(transforms=[stamped("mast", "pan", BODY, SECOND)]))
    moving.publish(TFMessage(transforms=[stamped("mast", "pan", BODY, 2 * SECOND)]))
    node.wait(lambda: node.stream.odometry_output.transforms.tree.parent_of("pan"))
    messages = drive(node, 3, "camera")
    assert {m.child_frame_id for m in messages} == {"base_link"}
    node.wait(lambda: len(own_transforms(node)) == 3)


@pytest.mark.parametrize(("base_frame", "parent"), [("auto", "odom"), ("base_link", "wheel_odom")])
def test_a_base_that_another_odometry_moves_gets_no_second_transform(start, base_frame, parent):
    node, publish = start(base_frame=base_frame)
    publish(tree(("camera", "base_link")))
    wheels = node.client.create_publisher(TFMessage, "/tf", TF_QOS)
    node.wait(lambda: wheels.get_subscription_count() >= 2)
    wheels.publish(TFMessage(transforms=[stamped(parent, "base_link", np.eye(4), 3 * SECOND + 7)]))
    node.wait(lambda: node.stream.odometry_output.transforms.tree.parent_of("base_link"))
    messages = drive(node, 3, "camera")
    assert {m.child_frame_id for m in messages} == {"base_link"}
    node.wait(lambda: problems(node))
    (said,) = problems(node)
    assert all(word in said for word in ("'base_link'", parent, "publish_tf", "invert_odom_tf")), said
    assert not [item for item in own_transforms(node) if item.header.stamp.sec < 3]
