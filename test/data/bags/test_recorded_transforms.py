# SPDX-License-Identifier: Apache-2.0
"""Static transforms of a recording: /tf_static, and transforms of other topics that never change."""

import numpy as np
import pytest

from monodepth_ros.data.bags import messages, recorded_transforms
from monodepth_ros.data.bags.recorded_transforms import add_recorded_transforms
from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.bags.static_transforms import StaticTransforms
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.geometry.motion import exp_se3, make_transform

START_NS, TENTH = 1_700_000_000_000_000_000, 100_000_000
T_MOUNT = exp_se3([0.3, -0.2, 1.5, 0.1, 0.2, 2.0])


def transform(parent, child, T):
    return messages.transform_stamped(messages.header(0, parent), child, T)


def write(path, by_topic):
    """A bag with one message of transforms every tenth of a second on each topic: {topic: function of the number}."""
    with BagWriter(path) as bag:
        for topic, (count, transforms) in by_topic.items():
            bag.add_topic(topic, "tf2_msgs/msg/TFMessage", latched=topic.endswith("static"))
            for i in range(count):
                bag.write(topic, START_NS + i * TENTH, messages.transforms(transforms(i)))
    return path


def read(path, frame="camera"):
    tree = StaticTransforms()
    with Recording(path) as recording:
        notes = add_recorded_transforms(recording, frame, tree)
    return tree, notes


def moving(i):
    return make_transform(np.eye(3), (0.1 * i, 0, 0))


def test_transforms_of_tf_static_are_added_without_a_note(tmp_path):
    tree, notes = read(
        write(tmp_path / "a.mcap", {"/tf_static": (1, lambda i: [transform("base_link", "camera", T_MOUNT)])})
    )
    np.testing.assert_allclose(tree.lookup("base_link", "camera"), T_MOUNT, atol=1e-12)
    assert notes == []


def test_a_mount_that_repeats_on_tf_is_static_and_the_moving_base_is_not(tmp_path):
    def both(i):
        return [transform("map", "base_link", moving(i)), transform("base_link", "camera", T_MOUNT)]

    tree, notes = read(write(tmp_path / "a.mcap", {"/tf": (20, both)}))
    np.testing.assert_allclose(tree.lookup("base_link", "camera"), T_MOUNT, atol=1e-12)
    assert tree.parent_of("base_link") == ""
    assert notes == ["transforms of /tf that never change count as static: base_link -> camera"]


def test_a_mount_that_is_stated_once_among_moving_transforms_is_static(tmp_path):
    def first(i):
        return [transform("base_link", "camera", T_MOUNT)] if i == 0 else [transform("map", "base_link", moving(i))]

    tree, _ = read(write(tmp_path / "a.mcap", {"/tf": (20, first)}))
    assert tree.parent_of("camera") == "base_link"


def test_a_transform_that_changes_once_is_not_static(tmp_path):
    def late(i):
        return [transform("base_link", "camera", T_MOUNT if i < 19 else T_MOUNT @ moving(1))]

    tree, notes = read(write(tmp_path / "a.mcap", {"/tf": (20, late)}))
    assert tree.parent_of("camera") == "" and notes == []


def test_a_frame_that_changes_its_parent_is_not_static(tmp_path):
    tree, _ = read(write(tmp_path / "a.mcap", {"/tf": (6, lambda i: [transform("ab"[i % 2], "camera", T_MOUNT)])}))
    assert tree.parent_of("camera") == ""


def test_the_same_rotation_with_the_other_sign_is_the_same(tmp_path):
    def signs(i):
        item = transform("base_link", "camera", T_MOUNT)
        for name in "xyzw" if i % 2 else "":
            setattr(item.transform.rotation, name, -getattr(item.transform.rotation, name))
        return [item]

    tree, _ = read(write(tmp_path / "a.mcap", {"/tf": (6, signs)}))
    np.testing.assert_allclose(tree.lookup("base_link", "camera"), T_MOUNT, atol=1e-9)


@pytest.mark.parametrize(("parent", "child"), [("odom", "base_link"), ("map", "robot1/odom")])
def test_a_robot_that_stands_still_is_not_mounted_on_the_world(tmp_path, parent, child):
    tree, _ = read(write(tmp_path / "a.mcap", {"/tf": (6, lambda i: [transform(parent, child, T_MOUNT)])}))
    assert tree.parent_of(child) == ""


def test_tf_static_has_the_last_word(tmp_path):
    topics = {
        "/tf": (5, lambda i: [transform("other", "camera", np.eye(4)), transform("base_link", "mast", T_MOUNT)]),
        "/tf_static": (1, lambda i: [transform("mast", "camera", np.eye(4))]),
    }
    tree, notes = read(write(tmp_path / "a.mcap", topics))
    np.testing.assert_allclose(tree.lookup("base_link", "camera"), T_MOUNT, atol=1e-12)
    assert notes == ["transforms of /tf that never change count as static: base_link -> mast"]


def test_other_topics_are_not_looked_at_where_tf_static_places_the_camera_on_a_base(tmp_path):
    topics = {
        "/tf": (5, lambda i: [transform("base_link", "wheel", T_MOUNT)]),
        "/tf_static": (1, lambda i: [transform("base_link", "camera", np.eye(4))]),
    }
    tree, notes = read(write(tmp_path / "a.mcap", topics))
    assert tree.parent_of("wheel") == "" and notes == []


def test_a_lidar_that_only_tf_places_is_connected(tmp_path):
    path = tmp_path / "a.mcap"
    points = np.zeros((1, 3), [("x", "<f4"), ("y", "<f4"), ("z", "<f4")])
    with BagWriter(path) as bag:
        for name in ("/tf", "/tf_static"):
            bag.add_topic(name, "tf2_msgs/msg/TFMessage")
        bag.add_topic("/points", "sensor_msgs/msg/PointCloud2")
        bag.write("/points", START_NS, messages.point_cloud(messages.header(START_NS, "lidar"), points, True))
        bag.write("/tf_static", START_NS, messages.transforms([transform("base_link", "camera", np.eye(4))]))
        for i in range(3):
            bag.write("/tf", START_NS + i, messages.transforms([transform("base_link", "lidar", T_MOUNT)]))
    np.testing.assert_allclose(read(path)[0].lookup("camera", "lidar"), T_MOUNT, atol=1e-12)


def test_a_long_topic_is_read_in_windows_and_a_late_change_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(recorded_transforms, "WINDOWS", 4)
    monkeypatch.setattr(recorded_transforms, "FIRST_WINDOW", 4)
    monkeypatch.setattr(recorded_transforms, "LATER_WINDOW", 2)

    def late(i):
        return [
            transform("base_link", "camera", T_MOUNT),
            transform("base_link", "head", T_MOUNT if i < 60 else T_MOUNT @ moving(i)),
        ]

    path = write(tmp_path / "a.mcap", {"/tf": (100, late)})
    read_numbers = []
    original = Recording.deserialize

    def counted(self, message):
        read_numbers.append((message.stamp_ns - START_NS) // TENTH)
        return original(self, message)

    monkeypatch.setattr(Recording, "deserialize", counted)
    tree, _ = read(path)
    assert tree.parent_of("camera") == "base_link" and tree.parent_of("head") == ""
    assert read_numbers == [0, 1, 2, 3, 25, 26, 50, 51, 75, 76]


def test_a_note_names_a_few_of_many_transforms(tmp_path):
    frames = [transform("base_link", f"camera_{i}", T_MOUNT) for i in range(6)]
    _, notes = read(write(tmp_path / "a.mcap", {"/tf": (2, lambda i: frames)}), "camera_0")
    assert notes[0].endswith("camera_3 and 2 more") and "camera_4" not in notes[0]
