# SPDX-License-Identifier: Apache-2.0
"""The buffer of transforms, which is used if tf2_ros is not installed."""

import threading
import time

import numpy as np
import pytest
from geometry_msgs.msg import TransformStamped
from tf2_msgs.msg import TFMessage

from monodepth_ros.geometry.motion import axis_angle_to_rotation, exp_se3, invert, make_transform
from monodepth_ros.ros import frame_tree, transform_filter
from monodepth_ros.ros.frame_tree import FrameTree
from monodepth_ros.ros.interop import quaternion_from_rotation
from monodepth_ros.ros.transforms import CACHE_SECONDS, TransformBuffer, TransformError, create_transform_lookup

SECOND = 1_000_000_000
T_1 = exp_se3(np.array([1.0, -2.0, 0.5, 0.3, -0.2, 0.9]))
T_2 = exp_se3(np.array([0.0, 0.4, 3.0, -1.1, 0.1, 0.2]))
T_3 = exp_se3(np.array([-0.7, 0.0, 0.1, 0.0, 2.5, -0.4]))


def stamped(parent, child, T=T_1, seconds=0.0):
    item = TransformStamped(child_frame_id=child)
    item.header.frame_id = parent
    item.header.stamp.sec, item.header.stamp.nanosec = divmod(round(seconds * SECOND), SECOND)
    t, r = item.transform.translation, item.transform.rotation
    t.x, t.y, t.z = (float(v) for v in T[:3, 3])
    r.x, r.y, r.z, r.w = (float(v) for v in quaternion_from_rotation(T[:3, :3]))
    return item


def static_buffer(*items):
    buffer = TransformBuffer()
    buffer.add(TFMessage(transforms=list(items)), is_static=True)
    return buffer


def moving_buffer(*items):
    buffer = TransformBuffer()
    for item in items:
        buffer.add(TFMessage(transforms=[item]), is_static=False)
    return buffer


def found(buffer, target, source, seconds=1.0, timeout=0.0):
    return buffer.lookup(target, source, round(seconds * SECOND), timeout)


def shift(x):
    return make_transform(np.eye(3), (x, 0.0, 0.0))


def test_a_chain_is_composed_up_down_and_across():
    buffer = static_buffer(stamped("base", "mast", T_1), stamped("mast", "camera", T_2), stamped("base", "lidar", T_3))
    np.testing.assert_allclose(found(buffer, "base", "camera"), T_1 @ T_2, atol=1e-12)
    np.testing.assert_allclose(found(buffer, "camera", "base"), invert(T_1 @ T_2), atol=1e-12)
    np.testing.assert_allclose(found(buffer, "mast", "camera"), T_2, atol=1e-12)
    np.testing.assert_allclose(found(buffer, "lidar", "camera"), invert(T_3) @ T_1 @ T_2, atol=1e-12)
    np.testing.assert_array_equal(found(buffer, "camera", "camera"), np.eye(4))


def test_static_transforms_hold_at_every_stamp_and_the_newest_replaces_the_older():
    buffer = static_buffer(stamped("base", "camera", T_1, seconds=500.0))
    for seconds in (0.0, 1.0, 1e9):
        np.testing.assert_allclose(found(buffer, "base", "camera", seconds), T_1, atol=1e-12)
    buffer.add(TFMessage(transforms=[stamped("base", "camera", T_2)]), is_static=True)
    np.testing.assert_allclose(found(buffer, "base", "camera", 500.0), T_2, atol=1e-12)


def test_interpolation_between_two_stamps_is_that_of_tf2():
    """Rotation by slerp, translation linearly."""
    twist = np.array([2.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    stamps = (1.0, 1.5, 2.0)
    buffer = moving_buffer(
        stamped("base", "head", T_1, 1.0),
        stamped("base", "head", T_1 @ exp_se3(0.5 * twist), 1.5),
        stamped("base", "head", T_1 @ exp_se3(twist), 2.0),
    )
    buffer.add(TFMessage(transforms=[stamped("head", "camera", T_2)]), is_static=True)
    for seconds in (1.0, 1.2, 1.5, 1.9, 2.0):
        T_base_head = T_1 @ exp_se3((seconds - 1.0) * twist)
        T_base_head[:3, 3] = [
            np.interp(seconds, stamps, [(T_1 @ exp_se3((s - 1.0) * twist))[axis, 3] for s in stamps])
            for axis in range(3)
        ]
        exact = T_base_head @ T_2
        np.testing.assert_allclose(
            found(buffer, "base", "camera", seconds), exact, atol=1e-9, err_msg=f"at {seconds} s"
        )
    np.testing.assert_allclose(found(buffer, "base", "head", 1.5), T_1 @ exp_se3(0.5 * twist), atol=1e-12)
    rotation = found(buffer, "base", "head", 1.25)[:3, :3]
    np.testing.assert_allclose(rotation, T_1[:3, :3] @ axis_angle_to_rotation((0, 0, 0.25)), atol=1e-9)


def test_messages_may_come_in_any_order():
    buffer = moving_buffer(*(stamped("base", "head", shift(s), s) for s in (3.0, 1.0, 4.0, 2.0)))
    np.testing.assert_allclose(found(buffer, "base", "head", 2.5), shift(2.5), atol=1e-12)
    buffer.add(TFMessage(transforms=[stamped("base", "head", shift(9.0), 2.0)]), is_static=False)
    np.testing.assert_allclose(found(buffer, "base", "head", 2.0), shift(9.0), atol=1e-12)


@pytest.mark.parametrize(("seconds", "said"), [(0.5, "oldest"), (2.5, "newest")])
def test_times_outside_the_history_are_an_error(seconds, said):
    buffer = moving_buffer(stamped("base", "head", shift(1.0), 1.0), stamped("base", "head", shift(2.0), 2.0))
    with pytest.raises(TransformError, match=said) as error:
        found(buffer, "base", "head", seconds)
    assert "base -> head" in str(error.value)


def test_stamp_zero_asks_for_the_latest():
    buffer = moving_buffer(stamped("base", "head", shift(1.0), 1.0), stamped("base", "head", shift(2.0), 2.0))
    np.testing.assert_allclose(found(buffer, "base", "head", 0.0), shift(2.0))


def test_unconnected_frames_are_an_error_that_lists_the_known_ones():
    buffer = static_buffer(stamped("base", "camera"), stamped("map", "tag"))
    for target, source in (("base", "tag"), ("base", "nowhere"), ("nowhere", "camera"), ("base", "")):
        with pytest.raises(TransformError) as error:
            found(buffer, target, source)
        text = str(error.value)
        assert repr(target) in text and repr(source) in text and "base, camera, map, tag" in text, text
    with pytest.raises(TransformError, match="none"):
        found(TransformBuffer(), "base", "camera")


def test_a_loop_of_frames_is_an_error():
    buffer = static_buffer(stamped("a", "b", shift(1.0)), stamped("b", "c", shift(2.0)), stamped("c", "a", shift(4.0)))
    assert found(buffer, "a", "c")[0, 3] in (3.0, -4.0)  # one way round or the other
    with pytest.raises(TransformError):
        found(buffer, "a", "elsewhere")
    with pytest.raises(TransformError):
        found(static_buffer(stamped("a", "a")), "a", "b")


def test_a_looping_recording_clears_the_history():
    times = np.arange(100.0, 130.0, 0.5)
    buffer = moving_buffer(*(stamped("base", "head", shift(s), s) for s in times))
    for s in (100.0, 100.5, 101.0):
        buffer.add(TFMessage(transforms=[stamped("base", "head", shift(-s), s)]), is_static=False)
    np.testing.assert_allclose(found(buffer, "base", "head", 100.75), shift(-100.75), atol=1e-9)
    with pytest.raises(TransformError, match="newest is of 101.000"):
        found(buffer, "base", "head", 129.0)


def test_old_transforms_are_dropped():
    times = np.arange(0.5, 3 * CACHE_SECONDS, 0.5)
    buffer = moving_buffer(*(stamped("base", "head", shift(s), s) for s in times))
    newest = times[-1]
    np.testing.assert_allclose(found(buffer, "base", "head", newest - 9.75), shift(newest - 9.75), atol=1e-9)
    with pytest.raises(TransformError, match="oldest"):
        found(buffer, "base", "head", newest - CACHE_SECONDS - 1.0)


def test_the_newest_parent_replaces_the_older_one():
    buffer = static_buffer(stamped("base", "camera", T_1), stamped("mast", "camera", T_2), stamped("base", "mast", T_3))
    assert buffer.tree.parent_of("camera") == ("mast", True)
    np.testing.assert_allclose(found(buffer, "base", "camera"), T_3 @ T_2, atol=1e-12)
    assert buffer.tree.parent_of("base") is None
    moving = moving_buffer(stamped("base", "camera", T_2, 1.0), stamped("odom", "camera", T_1, 1.0))
    assert moving.tree.parent_of("/camera") == ("odom", False)
    np.testing.assert_allclose(found(moving, "odom", "camera"), T_1, atol=1e-12)


def test_a_static_parent_stays_when_another_comes_on_tf():
    """Such as the odometry's own transform from before the tree of the camera came, on its way back."""
    buffer = static_buffer(stamped("base", "camera", T_1))
    buffer.add(TFMessage(transforms=[stamped("odom", "camera", T_2, 1.0)]), is_static=False)
    assert buffer.tree.parent_of("camera") == ("base", True)
    np.testing.assert_allclose(found(buffer, "base", "camera"), T_1, atol=1e-12)


def names(tree, frame):
    return sorted(parent.name for parent in tree.parents_of(frame))


def test_our_own_transforms_are_told_from_anothers_with_the_same_stamp_or_the_same_numbers():
    buffer = TransformBuffer()
    for i in range(1, 30):
        own = stamped("odom", "base", T_1, i)
        buffer.tree.note_own(own)
        buffer.add(TFMessage(transforms=[own]), is_static=False)
    assert names(buffer.tree, "base") == []
    buffer.tree.note_own(own)
    for T in (T_2, T_1):  # another's at the same image, and our own again
        buffer.add(TFMessage(transforms=[stamped("/odom", "base", T, 29)]), is_static=False)
    assert names(buffer.tree, "base") == ["odom"]
    twin = TransformBuffer()
    twin.tree.note_own(own)
    for _ in range(2):  # of a second node that computes the same
        assert names(twin.tree, "base") == []
        twin.add(TFMessage(transforms=[own]), is_static=False)
    assert names(twin.tree, "base") == ["odom"]


def test_our_own_transforms_of_far_stamps_are_not_passed_over():
    said = []
    buffer = TransformBuffer(said.append)
    for seconds in (100, 101, 5000, 5, 6, 1000):  # as images with wrong stamps give them
        own = stamped("odom", "base", T_1, seconds * 1_000_000_000)
        buffer.tree.note_own(own)
        buffer.add(TFMessage(transforms=[own]), is_static=False)
    assert said == [] and names(buffer.tree, "base") == []


def test_a_static_parent_that_was_replaced_is_remembered_as_one_of_several(monkeypatch):
    tree, clock = FrameTree(), [100.0]
    monkeypatch.setattr(frame_tree.time, "monotonic", lambda: clock[0])
    for parent in ("base", "arm", "mast"):
        tree.add(TFMessage(transforms=[stamped(parent, "camera", T_1, 1)]), is_static=True)
        clock[0] += 100.0
    assert names(tree, "camera") == ["mast"] and tree.parent_of("camera").name == "mast"
    ((frame, parents),) = tree.disputed("camera")
    assert frame == "camera" and sorted(parent.name for parent in parents) == ["arm", "base", "mast"]
    clock[0] += frame_tree.LONGEST_SILENCE
    assert list(tree.disputed("camera")) == []


def test_all_users_of_a_nodes_transforms_share_one_look_up(harness, depth_checkpoint):
    node = harness(depth_checkpoint, start=False, listen=()).node
    said = [[], []]
    subscribed = lambda: [one for one in node.subscriptions if one.topic_name == "/tf"]  # noqa: E731
    first, second = (create_transform_lookup(node, lines.append) for lines in said)
    assert first.tree is second.tree and len(subscribed()) == 1
    first.tree.add(TFMessage(transforms=[stamped("base", "base", T_1, 1)]), is_static=False)
    assert len(said[0]) == len(said[1]) == 1 and "passed over" in said[0][0]
    for _ in range(2):  # closed twice counts once
        first.close()
    assert len(subscribed()) == 1
    second.close()
    assert subscribed() == []
    third = create_transform_lookup(node, said[0].append)
    assert third.tree is not first.tree
    third.close()


def test_a_moving_parent_counts_for_three_of_its_longest_pauses_and_a_static_one_for_good(monkeypatch):
    tree, clock = FrameTree(), [100.0]
    monkeypatch.setattr(frame_tree.time, "monotonic", lambda: clock[0])
    once = TFMessage(transforms=[stamped("map", "base", T_1, 1)])
    tree.add(once, is_static=False)
    clock[0] += frame_tree.SILENCE - 0.1
    assert names(tree, "base") == ["map"]
    clock[0] += 0.2
    assert names(tree, "base") == []
    clock[0] += 9.9  # a node that publishes every 20 s
    tree.add(once, is_static=False)
    clock[0] += 59.0
    assert names(tree, "base") == ["map"]
    clock[0] += 2.0
    assert names(tree, "base") == []
    tree.add(TFMessage(transforms=[stamped("world", "base")]), is_static=True)
    clock[0] += 1e6
    assert names(tree, "base") == ["world"]


def test_a_loop_and_two_parents_are_found_over_several_links():
    tree = FrameTree()
    tree.add(TFMessage(transforms=[stamped("base", "lift"), stamped("lift", "odom")]), is_static=True)
    assert tree.way_up("odom", "base") == ["odom", "lift", "base"] and tree.way_up("base", "odom") == []
    tree.add(TFMessage(transforms=[stamped("wall", "lift")]), is_static=False)
    ((frame, parents),) = tree.disputed("odom")
    assert frame == "lift" and {parent.name for parent in parents} == {"base", "wall"}


def test_frames_and_parents_are_bounded(monkeypatch):
    monkeypatch.setattr(transform_filter, "MOST_LINKS", 5)
    said = []
    tree = FrameTree(said.append)
    tree.add(TFMessage(transforms=[stamped("base", f"f{i}") for i in range(8)]), is_static=False)
    assert len(said) == 3 and "more than 5 transforms" in said[0] and tree.parent_of("f7") is None
    monkeypatch.setattr(transform_filter, "MOST_LINKS", 100)
    tree.add(TFMessage(transforms=[stamped(f"p{i}", "f0") for i in range(20)]), is_static=False)
    assert len(tree.parents_of("f0")) == frame_tree.MOST_PARENTS and tree.parent_of("f0").name == "p19"


def test_invalid_transforms_are_skipped():
    good = stamped("base", "camera", T_1)
    bad = [stamped("base", "camera", T_2) for _ in range(4)]
    bad[0].transform.rotation.x = bad[0].transform.rotation.y = 0.0
    bad[0].transform.rotation.z = bad[0].transform.rotation.w = 0.0
    bad[1].transform.rotation.w = float("nan")
    bad[2].transform.translation.z = float("nan")
    bad[3].transform.translation.x = float("inf")
    bad += [stamped("", "camera", T_2), stamped("base", "", T_2), stamped("base", "camera", shift(1e12))]
    bad += [stamped("b" * 300, "camera"), stamped("camera", "/camera")]
    said = []
    buffer = TransformBuffer(said.append)
    for is_static in (True, False):
        buffer.add(TFMessage(transforms=[good, *bad]), is_static)
    np.testing.assert_allclose(found(buffer, "base", "camera"), T_1, atol=1e-12)
    assert len(said) == 2 * len(bad) and all("passed over" in line and len(line) < 400 for line in said), said


def test_quaternions_of_any_length_are_rotations():
    item = stamped("base", "camera", T_1)
    for name in "xyzw":
        setattr(item.transform.rotation, name, 3.0 * getattr(item.transform.rotation, name))
    np.testing.assert_allclose(found(static_buffer(item), "base", "camera"), T_1, atol=1e-12)


def test_leading_slashes_do_not_matter():
    buffer = static_buffer(stamped("/base", "mast", T_1), stamped("mast", "/camera", T_2))
    for target, source in (("base", "camera"), ("/base", "/camera"), ("base", "/camera")):
        np.testing.assert_allclose(found(buffer, target, source), T_1 @ T_2, atol=1e-12)


def test_a_transform_is_waited_for():
    buffer = moving_buffer(stamped("base", "head", shift(1.0), 1.0))

    def publish():
        buffer.add(TFMessage(transforms=[stamped("other", "frame")]), is_static=True)  # no help
        buffer.add(TFMessage(transforms=[stamped("base", "head", shift(2.0), 2.0)]), is_static=False)

    later = threading.Timer(0.1, publish)
    later.start()
    np.testing.assert_allclose(found(buffer, "base", "head", 1.5, timeout=20.0), shift(1.5), atol=1e-12)
    later.join()


def test_the_wait_ends_at_its_timeout_even_while_others_publish():
    buffer = TransformBuffer()
    stop = threading.Event()

    def chatter():
        while not stop.wait(0.002):
            buffer.add(TFMessage(transforms=[stamped("other", "frame")]), is_static=True)

    thread = threading.Thread(target=chatter)
    thread.start()
    started = time.monotonic()
    with pytest.raises(TransformError):
        found(buffer, "base", "camera", timeout=0.2)
    waited = time.monotonic() - started
    stop.set()
    thread.join()
    assert 0.19 < waited < 10.0, f"waited {waited} s"
