# SPDX-License-Identifier: Apache-2.0
"""The node's odometry from the pose network, over DDS: motion, extrinsic, TF, resets."""

import threading

import numpy as np
import pytest
from nav_msgs.msg import Odometry
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from stamped_transform import stamped
from std_srvs.srv import SetBool, Trigger
from tf2_msgs.msg import TFMessage

from monodepth_ros.geometry.motion import R_BODY_OPTICAL, axis_angle_to_rotation, exp_se3, invert, make_transform
from monodepth_ros.inference.config import EngineConfig
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.networks.formula_weights import formula_image
from monodepth_ros.odometry.checks.image_check import ImageChange, ImageCheck
from monodepth_ros.ros.interop import rotation_from_quaternion
from monodepth_ros.ros.transforms import TF_QOS, TF_STATIC_QOS
from monodepth_ros.stamps import nanoseconds

RELIABLE = QoSProfile(depth=20, reliability=ReliabilityPolicy.RELIABLE)
SECOND = 1_000_000_000
TENTH = SECOND // 10
# SYSTEMS facts, formula weights: T_later_earlier of the two formula images.
GOLDEN_AXIS_ANGLE = (0.082392396635833, -0.3476267160316218, 0.11310209059155471)
GOLDEN_TRANSLATION = (0.19320270801496603, -0.1700958391765054, -0.29535399364019743)


def pose_of(message: Odometry):
    p, q = message.pose.pose.position, message.pose.pose.orientation
    return make_transform(rotation_from_quaternion((q.x, q.y, q.z, q.w)), (p.x, p.y, p.z))


def twist_of(message: Odometry):
    v, w = message.twist.twist.linear, message.twist.twist.angular
    return np.array([v.x, v.y, v.z, w.x, w.y, w.z])


def replace_motion(node, motions):
    """Replace the pose network by given motions T_later_earlier, one for each pair in turn."""
    motions = iter(motions)
    node.engine.motion = lambda earlier, later: next(motions).copy()


@pytest.fixture(scope="module")
def golden_checkpoint(tmp_path_factory):
    from monodepth_ros.networks.checkpoints.checkpoint import CheckpointHeader, save_checkpoint
    from monodepth_ros.networks.formula_weights import fill_networks_with_formula
    from monodepth_ros.networks.registry import build_depth, build_pose

    networks = build_depth("resnet18"), build_pose("separate_resnet18")
    fill_networks_with_formula(*networks)
    path = tmp_path_factory.mktemp("golden") / "golden.safetensors"
    header = CheckpointHeader("resnet18", 192, 640, (0.58, 1.92, 0.5, 0.5), pose_network="separate_resnet18")
    save_checkpoint(path, header, *networks)
    return path


def test_the_node_publishes_the_golden_motion(harness, golden_checkpoint, monkeypatch):
    """The published pose for formula weights and images, through DDS, decoding, networks and odometry."""
    # Images by a formula have no corners, and so would be doubted.
    monkeypatch.setattr(ImageCheck, "update", lambda self, gray: ImageChange())
    node = harness(
        golden_checkpoint, scale__source="fixed", scale__factor=1.0, odometry__max_turn_rate=20.0, publish_tf=False
    )
    info = node_info(640, 192)
    node.send_info(info)
    images = [np.rint(255 * formula_image(phase).transpose(1, 2, 0)).astype(np.uint8) for phase in (0.0, 0.7)]
    node.exchange(SECOND, images[0], topic="odom")
    message = node.exchange(SECOND + TENTH, images[1], topic="odom")
    # In the optical axes of the first camera; odom has body axes there.
    T_first_second = make_transform(R_BODY_OPTICAL.T, np.zeros(3)) @ pose_of(message)
    found = invert(T_first_second)
    golden = make_transform(axis_angle_to_rotation(GOLDEN_AXIS_ANGLE), GOLDEN_TRANSLATION)
    error = np.abs(found - golden).max()
    # 8-bit images instead of exact ones.
    assert error < 2e-3, f"published motion is off by {error}:\n{found}\nexpected\n{golden}"
    engine = create_engine(golden_checkpoint, EngineConfig(device="cpu", precision="fp32"))
    direct = engine.motion(engine.load_image(images[0]), engine.load_image(images[1]))
    error = np.abs(found - direct).max()
    assert error < 1e-5, f"node and engine differ by {error}"


def node_info(width, height):
    from sensor_msgs.msg import CameraInfo

    message = CameraInfo(width=width, height=height, distortion_model="plumb_bob", d=[0.0] * 5)
    message.k = [0.58 * width, 0.0, width / 2 - 0.5, 0.0, 1.92 * height, height / 2 - 0.5, 0.0, 0.0, 1.0]
    return message


STEP = exp_se3(np.array([0.01, -0.02, 0.5, 0.002, 0.03, -0.001]))  # T_earlier_later, optical axes, metres


def run_steps(node, count, start=SECOND, period=TENTH):
    messages = []
    for i in range(count):
        node.send(start + i * period)
        messages.append(node.output(start + i * period, "odom"))
    return messages


def test_without_a_base_the_camera_moves_in_an_odom_frame_with_z_up(harness, pose_checkpoint):
    node = harness(pose_checkpoint, scale__source="fixed", scale__factor=1.0)
    replace_motion(node, [invert(STEP)] * 4)
    node.send_info()
    messages = run_steps(node, 5)
    last = messages[-1]
    assert (last.header.frame_id, last.child_frame_id) == ("odom", "camera_optical")
    expected = make_transform(R_BODY_OPTICAL, np.zeros(3)) @ np.linalg.matrix_power(STEP, 4)
    np.testing.assert_allclose(pose_of(last), expected, atol=1e-9)
    assert pose_of(last)[0, 3] > 1.9  # forward is x
    node.wait(lambda: len(node.received["/tf"]) == 5)
    transform = node.received["/tf"][-1].transforms[0]
    assert (transform.header.frame_id, transform.child_frame_id) == ("odom", "camera_optical")
    assert transform.header.stamp == last.header.stamp
    assert transform.transform.translation.x == last.pose.pose.position.x


@pytest.mark.parametrize("always_on", [True, False])
def test_a_trajectory_begins_with_the_first_image_if_always_on_and_else_with_its_first_subscriber(
    harness, pose_checkpoint, always_on
):
    node = harness(
        pose_checkpoint, listen=(), scale__source="fixed", scale__factor=1.0, publish_tf=False,
        odometry__always_on=always_on,
    )  # fmt: skip
    node.engine.motion = lambda earlier, later: invert(STEP)
    node.send_info()
    for i in range(4):
        node.send(SECOND + i * TENTH)
        node.wait(lambda i=i: sum(node.settled_counts().values()) == 2 * (i + 1))
    assert node.counts()["frames_processed" if always_on else "frames_unwanted"] == 4
    messages = node.received["odom"]
    node.on_executor(lambda: node.client.create_subscription(Odometry, "odom", messages.append, RELIABLE), 1)
    node.wait(lambda: node.subscribers("odom") == 1)
    last = run_steps(node, 2, SECOND + 4 * TENTH)[-1]
    steps = 5 if always_on else 1
    expected = make_transform(R_BODY_OPTICAL, np.zeros(3)) @ np.linalg.matrix_power(STEP, steps)
    np.testing.assert_allclose(pose_of(last), expected, atol=1e-9)


def test_depth_does_not_wait_for_the_motion(harness, pose_checkpoint):
    node = harness(pose_checkpoint)
    node.send_info()
    run_steps(node, 1)
    may_go_on = threading.Event()
    measure = node.engine.motion
    node.engine.motion = lambda earlier, later: may_go_on.wait(20.0) and measure(earlier, later)
    stamp = SECOND + TENTH
    try:
        node.exchange(stamp, topic="depth/points")
        node.output(stamp, "depth/image")
        node.settle(1.0)
        assert len(node.received["odom"]) == 1 and node.counts()["frames_processed"] == 1
    finally:
        may_go_on.set()
    node.output(stamp, "odom")
    status = node.output(stamp, "depth/status")
    assert status.frames_processed == 2 and status.latency_motion_ms > 1000 > status.latency_inference_ms, status


def test_twist_is_in_the_child_frame_from_stamp_differences_and_covariances_are_positive(harness, pose_checkpoint):
    node = harness(pose_checkpoint, scale__source="fixed", scale__factor=1.0)
    replace_motion(node, [invert(STEP)] * 4)
    node.send_info()
    message = run_steps(node, 3, period=2 * TENTH)[-1]
    np.testing.assert_allclose(twist_of(message), np.array([0.01, -0.02, 0.5, 0.002, 0.03, -0.001]) / 0.2, atol=1e-9)
    for part in (message.pose, message.twist):
        covariance = np.array(part.covariance).reshape(6, 6)
        np.testing.assert_allclose(covariance, covariance.T)
        assert np.linalg.eigvalsh(covariance).min() > 0


def test_the_scale_multiplies_translation_and_nothing_else(harness, pose_checkpoint):
    node = harness(pose_checkpoint, scale__source="fixed", scale__factor=3.0)
    replace_motion(node, [invert(STEP)])
    node.send_info()
    pose = pose_of(run_steps(node, 2)[-1])
    np.testing.assert_allclose(R_BODY_OPTICAL.T @ pose[:3, 3], 3.0 * STEP[:3, 3], atol=1e-9)


def test_a_faster_camera_is_paired_by_time_and_ends_at_the_same_place(harness, pose_checkpoint):
    """At 30 Hz the network measures motions over 0.1 s, and each frame advances by its share."""
    node = harness(pose_checkpoint, scale__source="fixed", scale__factor=1.0, odometry__max_turn_rate=20.0)
    twist = np.array([0.01, -0.02, 0.5, 0.002, 0.03, -0.001]) / 0.1
    asked = []

    load, loaded, period = node.engine.load_image, [], SECOND // 30

    def load_image(rgb):
        loaded.append(load(rgb))
        return loaded[-1]

    def motion(earlier, later):
        first, second = (next(i for i, image in enumerate(loaded) if image is one) for one in (earlier, later))
        asked.append((second - first) * period / SECOND)
        return invert(exp_se3(twist * asked[-1]))

    node.engine.load_image, node.engine.motion = load_image, motion
    node.send_info()
    for i in range(31):
        stamp = SECOND + i * period
        node.send(stamp)
        last = node.output(stamp, "odom")
    assert np.allclose(asked[3:], 0.1, atol=0.001), asked
    expected = exp_se3(twist * 30 * period / SECOND)
    np.testing.assert_allclose(R_BODY_OPTICAL.T @ pose_of(last)[:3, 3], expected[:3, 3], atol=1e-6)


def test_the_base_moves_where_the_extrinsic_comes_from_a_chain_of_tf(harness, pose_checkpoint):
    node = harness(pose_checkpoint, scale__source="fixed", scale__factor=1.0, base_frame="base_link", tf_timeout=2.0)
    replace_motion(node, [invert(STEP)] * 5)
    T_base_mast = make_transform(axis_angle_to_rotation((0, 0, 0.2)), (1.0, 0.2, 1.0))
    T_mast_camera = make_transform(R_BODY_OPTICAL, (0.1, 0.0, 0.5))
    static = node.client.create_publisher(TFMessage, "/tf_static", TF_STATIC_QOS)
    static.publish(
        TFMessage(
            transforms=[stamped("base_link", "mast", T_base_mast), stamped("mast", "camera_optical", T_mast_camera)]
        )
    )
    node.send_info()
    last = run_steps(node, 4)[-1]
    assert (last.header.frame_id, last.child_frame_id) == ("odom", "base_link")
    X = T_base_mast @ T_mast_camera
    np.testing.assert_allclose(pose_of(last), X @ np.linalg.matrix_power(STEP, 3) @ invert(X), atol=1e-9)


def test_a_moving_extrinsic_is_interpolated_at_the_image_stamp(harness, pose_checkpoint):
    """A camera that pans on a standing base must not move the base."""
    node = harness(pose_checkpoint, scale__source="fixed", scale__factor=1.0, base_frame="base_link", tf_timeout=2.0)
    publisher = node.client.create_publisher(TFMessage, "/tf", TF_QOS)

    def extrinsic(seconds):
        return make_transform(R_BODY_OPTICAL @ axis_angle_to_rotation((0, 0.3 * seconds, 0)), (0.5, 0, 1))

    poses = [extrinsic(1.0 + 0.1 * i) for i in range(5)]
    replace_motion(node, [invert(poses[i]) @ poses[i - 1] for i in range(1, 5)])
    node.wait(lambda: publisher.get_subscription_count() >= 2)
    for i in range(12):  # transforms between the images' stamps
        t = 0.975 + 0.05 * i
        publisher.publish(
            TFMessage(transforms=[stamped("base_link", "camera_optical", extrinsic(t), round(t * SECOND))])
        )
    node.send_info()
    last = run_steps(node, 5)[-1]
    np.testing.assert_allclose(pose_of(last), np.eye(4), atol=1e-6)


def test_a_missing_extrinsic_withholds_odometry_and_warns(harness, pose_checkpoint):
    node = harness(pose_checkpoint, scale__source="fixed", scale__factor=1.0, base_frame="base_link", tf_timeout=0.05)
    replace_motion(node, [invert(STEP)] * 5)
    node.send_info()
    for i in range(3):
        node.exchange(SECOND + i * TENTH)
    node.wait(lambda: any("odometry: no transform" in m.status[0].message for m in node.received["/diagnostics"]))
    assert not node.received["odom"] and not node.received["/tf"]


def test_a_camera_frame_gets_no_second_parent(harness, pose_checkpoint):
    node = harness(pose_checkpoint, scale__source="fixed", scale__factor=1.0)
    static = node.client.create_publisher(TFMessage, "/tf_static", TF_STATIC_QOS)
    static.publish(TFMessage(transforms=[stamped("base_link", "camera_optical", np.eye(4))]))
    node.wait(lambda: node.stream.odometry_output.transforms.tree.parent_of("camera_optical"))
    replace_motion(node, [invert(STEP)] * 5)
    node.send_info()
    run_steps(node, 3)
    node.wait(lambda: any("base_frame" in m.status[0].message for m in node.received["/diagnostics"]))
    assert not [m for m in node.received["/tf"] if m.transforms[0].header.frame_id == "odom"]


def test_the_inverted_transform_has_the_odom_frame_as_child(harness, pose_checkpoint):
    node = harness(pose_checkpoint, scale__source="fixed", scale__factor=1.0, invert_odom_tf=True)
    replace_motion(node, [invert(STEP)] * 5)
    node.send_info()
    last = run_steps(node, 3)[-1]
    node.wait(lambda: len(node.received["/tf"]) == 3)
    item = node.received["/tf"][-1].transforms[0]
    assert (item.header.frame_id, item.child_frame_id) == ("camera_optical", "odom")
    t = item.transform.translation
    np.testing.assert_allclose((t.x, t.y, t.z), invert(pose_of(last))[:3, 3], atol=1e-9)


def test_a_backwards_stamp_or_a_gap_begins_a_new_trajectory(harness, pose_checkpoint):
    node = harness(pose_checkpoint, scale__source="fixed", scale__factor=1.0)
    replace_motion(node, [invert(STEP)] * 20)
    node.send_info()
    for start in (100 * SECOND, 50 * SECOND, 70 * SECOND):
        if start != 100 * SECOND:  # one such stamp alone may be a mistake
            node.exchange(start - TENTH)
        messages = run_steps(node, 3, start)
        np.testing.assert_allclose(pose_of(messages[0])[:3, 3], 0.0, atol=1e-12)
        assert np.linalg.norm(pose_of(messages[2])[:3, 3]) > 0.9
        states = [node.output(start + i * TENTH, "depth/status").odometry_state for i in range(3)]
        assert states == [0, 1, 1], states


def test_an_implausible_motion_is_lost_and_not_published_as_tf(harness, pose_checkpoint):
    node = harness(pose_checkpoint, scale__source="fixed", scale__factor=1.0)
    jump = make_transform(np.eye(3), (0, 0, -100.0))
    replace_motion(node, [invert(STEP), jump, invert(STEP)])
    node.send_info()
    messages = run_steps(node, 4)
    assert node.output(SECOND + 2 * TENTH, "depth/status").odometry_state == 2
    assert messages[2].pose.covariance[0] >= 1e4 and messages[2].twist.covariance[0] >= 1e4
    assert np.linalg.norm(pose_of(messages[3])[:3, 3]) < 1.5
    node.wait(lambda: len(node.received["/tf"]) == 3)


def test_reset_and_enable_services(harness, pose_checkpoint):
    node = harness(pose_checkpoint, scale__source="fixed", scale__factor=1.0)
    replace_motion(node, [invert(STEP)] * 20)
    node.send_info()
    run_steps(node, 3)
    assert node.call(Trigger, "reset_odometry", Trigger.Request()).success
    first = run_steps(node, 1, SECOND + 3 * TENTH)[0]
    np.testing.assert_allclose(pose_of(first)[:3, 3], 0.0, atol=1e-12)
    assert node.call(SetBool, "enable", SetBool.Request(data=False)).success
    node.settle(0.1)
    node.send(SECOND + 5 * TENTH)
    node.settle()
    assert not [m for m in node.received["odom"] if m.header.stamp.nanosec == 5 * TENTH]
    assert node.node.get_parameter("enabled").value is False
    assert node.call(SetBool, "enable", SetBool.Request(data=True)).success
    run_steps(node, 1, SECOND + 6 * TENTH)


def test_a_relative_scale_runs_warns_and_keeps_tf_off(harness, relative_checkpoint):
    node = harness(relative_checkpoint, scale__source="relative")
    replace_motion(node, [invert(STEP)] * 5)
    node.send_info()
    run_steps(node, 3)
    node.wait(lambda: any("relative" in m.status[0].message for m in node.received["/diagnostics"]))
    assert node.received["/diagnostics"][-1].status[0].level == b"\x01"
    assert not node.received["/tf"]
    status = node.output(SECOND, "depth/status")
    assert (status.scale_source, status.scale) == (status.SCALE_RELATIVE, 1.0)


def test_a_relative_checkpoint_without_a_stated_scale_does_not_configure(harness, relative_checkpoint, capfd):
    node = harness(relative_checkpoint, start=False)
    assert node.node.trigger_configure().name == "FAILURE"
    line = [line for line in capfd.readouterr().err.splitlines() if "not configured" in line]
    assert len(line) == 1 and all(word in line[0] for word in ("'fixed'", "'relative'", "scale.factor"))
    assert node.node.set_parameters([Parameter("scale.source", value="relative")])[0].successful
    assert node.node.trigger_configure().name == "SUCCESS"


def test_images_without_a_stamp_get_the_time_of_their_arrival_and_a_warning(harness, pose_checkpoint):
    node = harness(pose_checkpoint, scale__source="fixed", scale__factor=1.0)
    node.send_info()
    before = node.node.get_clock().now().nanoseconds
    for i in range(3):
        node.send(0)
        node.wait(lambda: len(node.received["odom"]) == i + 1)
    stamps = [nanoseconds(message.header.stamp) for message in node.received["odom"]]
    assert before < stamps[0] < stamps[1] < stamps[2] < node.node.get_clock().now().nanoseconds, stamps
    assert [nanoseconds(message.header.stamp) for message in node.received["depth/image"]] == stamps
    node.diagnosis("images on /image carry no stamp (zero)", "header.stamp")


@pytest.mark.parametrize("wrong", [2_000_000_000 * SECOND, SECOND // 2])
def test_one_wrong_stamp_gives_depth_and_leaves_the_trajectory_whole(harness, pose_checkpoint, wrong):
    node = harness(pose_checkpoint, scale__source="fixed", scale__factor=1.0)
    replace_motion(node, [invert(STEP)] * 5)
    node.send_info()
    run_steps(node, 3)
    node.exchange(wrong)
    last = run_steps(node, 2, SECOND + 3 * TENTH)[-1]
    travelled = np.linalg.norm(pose_of(last)[:3, 3])
    assert travelled == pytest.approx(4 * np.linalg.norm(STEP[:3, 3]), rel=0.02)
    assert wrong not in [nanoseconds(message.header.stamp) for message in node.received["odom"]]
    node.diagnosis("1 image(s) on /image with a stamp that does not follow")
