# SPDX-License-Identifier: Apache-2.0
"""Parameters that are given and not taken: misspelt ones, those for another node, files that cannot be read."""

import sys

import pytest
import rclpy

from monodepth_ros.errors import MonodepthError
from monodepth_ros.ros.live import namesakes
from monodepth_ros.ros.live.lifecycle_node import DepthNode
from monodepth_ros.ros.live.namesakes import Namesakes
from monodepth_ros.ros.node_process import run_node
from monodepth_ros.ros.parameters.parameter_files import check_parameter_files
from monodepth_ros.ros.parameters.unknown_names import notes_on_arguments

INVISIBLE = "\x1b[2J"


@pytest.fixture
def start_node():
    """A function that makes a node from command-line arguments."""
    context, made = rclpy.Context(), []
    rclpy.init(context=context)

    def start(*arguments):
        made.append(DepthNode(context=context, cli_args=["--ros-args", *arguments]))
        return made[-1]

    yield start
    for node in made:
        node.destroy_node()
    context.try_shutdown()


def warnings_of(node):
    """The warnings in the node's diagnostics."""
    sent = []
    node._diagnostics.publish = sent.append
    node._report()
    return sent[-1].status[-1].message


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("depth.max_rnge", "depth.max_range"),
        ("max_range", ".max_range"),
        ("odometry.max_gpa", "odometry.max_gap"),
        ("scale_source", "scale.source"),
        ("Publish_TF", "publish_tf"),
        ("use_sim_tme", "use_sim_time"),
        ("image_transprt", "image_transport"),
    ],
)
def test_a_misspelt_parameter_is_named_with_the_nearest_one(start_node, capfd, given, meant):
    text = warnings_of(start_node("-p", f"{given}:=3"))
    assert f"there is no parameter {given}" in text and meant in text, text
    assert f"there is no parameter {given}" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("-r", "imaeg:=/x"), "there is no topic imaeg; did you mean image?"),
        (("-r", "/camera_inf:=/x"), "there is no topic /camera_inf; did you mean camera_info?"),
        (("-r", "rostopic://depth/imge:=/x"), "did you mean depth/image?"),
        (("-r", "depth_node:odm:=/x"), "did you mean odom?"),
        (("--remap", "~/reset_odometri:=/x"), "did you mean ~/reset_odometry?"),
        (("-r", "fronnt/image:=/x", "-p", "cameras:=[front]"), "did you mean front/image?"),
        (("-p", "qos_overrides./imag.subscription.depth:=3"), "there is no topic /imag; did you mean /image?"),
        (
            ("-p", "qos_overrides./depth/points.subscription.depth:=3"),
            "no subscription of /depth/points but a publisher",
        ),
        (
            ("-p", "qos_overrides./image.subscription.dept:=3"),
            "dept cannot be set, expected history, depth, reliability",
        ),
        (("-p", "qos_overrides./image.subscriber.depth:=3"), "expected publisher or subscription"),
        (("-p", "qos_overrides.image:=3"), "expected qos_overrides.TOPIC.publisher.POLICY"),
        (("-p", "qos_overrides./tf.publisher.depth:=3"), "there is no topic /tf with QoS to set"),
    ],
)
def test_a_misspelt_remapping_or_qos_override_is_named(start_node, given, words):
    assert words in warnings_of(start_node(*given))


@pytest.mark.parametrize(
    "given",
    [
        ("-r", "image:=/camera/image_raw", "-r", "/tf:=/robot/tf", "-r", "__ns:=/robot", "-r", "image/compressed:=/x"),
        ("-r", "other_node:imaeg:=/x", "-r", "~/enable:=/x", "-r", "rosservice://imaeg:=/x"),
        ("-p", "qos_overrides./image.subscription.depth:=3", "-p", "qos_overrides./odom.publisher.reliability:=x"),
        ("-p", "qos_overrides./camera/image_raw.subscription.depth:=3"),
        ("-r", "image:=/a/b", "-p", "qos_overrides./a/b.subscription.depth:=3"),
        ("-p", "odometry.imu_topic:=/imu", "-r", "/imu:=/imu/data"),
    ],
)
def test_remappings_and_qos_overrides_of_the_nodes_topics_are_no_problem(start_node, capfd, given):
    text = warnings_of(start_node(*given))
    assert "there is no" not in text and "ignored" not in text + capfd.readouterr().err, text


def test_remappings_of_others_are_one_line_in_the_log_alone(start_node, capfd):
    text = warnings_of(start_node("-r", "/robot/wheels:=/x", "-r", "plans:=/y"))
    assert "wheels" not in text
    assert "does not have are ignored: /robot/wheels, plans" in capfd.readouterr().err


def test_parameters_of_others_are_one_line_in_the_log_alone(start_node, capfd, tmp_path):
    path = tmp_path / "robot.yaml"
    names = "".join(f"    wheel_{letter}: 1\n" for letter in "abcdefghijklmn")
    path.write_text(f"/**:\n  ros__parameters:\n{names}    depth: {{max_range: 40.0}}\n")
    node = start_node("--params-file", str(path))
    lines = [line for line in capfd.readouterr().err.splitlines() if "does not have" in line]
    assert len(lines) == 1 and "wheel_a" in lines[0] and "and 4 more" in lines[0], lines
    assert node.config.depth.max_range == 40.0 and "wheel" not in warnings_of(node)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("depth_nod:\n  ros__parameters: {depth: {max_range: 4.0}}\n", "/depth_nod"),
        ("/robot/depth_node:\n  ros__parameters: {depth: {max_range: 4.0}}\n", "/robot/depth_node"),
        ("robot:\n  depth_node:\n    ros__parameters: {depth: {max_range: 4.0}}\n", "/robot/depth_node"),
        ("mono:\n  ros__parameters: {depth: {max_range: 4.0}}\n", "/mono"),
        (
            "/**:\n  ros__parameters: {use_sim_time: false}\ndepthnode:\n  ros__parameters: {max_rate: 4.0}\n",
            "/depthnode",
        ),
        ("camera:\n  ros__parameters: {gain: 4.0}\n", "/camera"),
    ],
)
def test_a_file_for_another_node_is_named_with_both_names(start_node, tmp_path, text, written):
    path = tmp_path / "parameters.yaml"
    path.write_text(text)
    found = warnings_of(start_node("--params-file", str(path)))
    assert str(path) in found and f"for {written}: this node is /depth_node" in found and "/**" in found, found


@pytest.mark.parametrize("key", ["/**", "depth_node", "/depth_node", "/*", "/**/depth_node"])
def test_a_file_for_this_node_and_others_is_no_problem(start_node, tmp_path, key):
    path = tmp_path / "parameters.yaml"
    path.write_text(
        f"{key}:\n  ros__parameters: {{depth: {{max_range: 4.0}}}}\n"
        "camera:\n  ros__parameters: {gain: 4.0}\nrobot:\n  lidar:\n    ros__parameters: {rate: 4.0}\n"
    )
    assert "parameter file" not in warnings_of(start_node("--params-file", str(path)))


def test_a_value_for_another_nodes_name_is_named(start_node):
    assert "-p depth_nod:max_rate" in warnings_of(start_node("-p", "depth_nod:max_rate:=3.0"))


def test_a_namespace_counts(start_node, tmp_path):
    path = tmp_path / "parameters.yaml"
    path.write_text("/robot/depth_node:\n  ros__parameters: {depth: {max_range: 4.0}}\n")
    node = start_node("--params-file", str(path), "-r", "__ns:=/robot")
    assert node.config.depth.max_range == 4.0 and "parameter file" not in warnings_of(node)
    assert "this node is /robot2/depth_node" in warnings_of(
        start_node("--params-file", str(path), "-r", "__ns:=/robot2")
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "No such file"),
        ("depth_node:\n  max_rate: 3.0\n", "'depth_node/max_rate' stands outside of ros__parameters"),
        ("max_rate: 3.0\n", "stands outside of ros__parameters"),
        ("ros__parameters:\n  max_rate: 3.0\n", "put '/**:'"),
        ("- 1\n- 2\n", "holds no nodes"),
        ("a: [1\n", "is not YAML"),
        (f"a: {INVISIBLE}[1\n", "is not YAML"),
        ("[" * 5000, "is not YAML"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line_with_its_path(tmp_path, text, words):
    path = tmp_path / "parameters.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(MonodepthError) as error:
        check_parameter_files(["node", "--ros-args", "--params-file", str(path)])
    line = str(error.value)
    assert str(path) in line and words in line and "\n" not in line and INVISIBLE not in line and len(line) < 600, line


def test_the_process_ends_with_that_line(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "argv", ["depth_node", "--ros-args", "--params-file", str(tmp_path)])
    assert run_node(None) == 1
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 1 and err[0].startswith("depth_node: parameter file") and "is a folder" in err[0], err


def test_a_wrong_type_names_type_and_range(start_node):
    for given, expected in (
        ("depth.max_range:=far", "a number between 0 and 10000 m"),
        ("image_transport:=3", "a string, one of auto, raw, compressed"),
    ):
        with pytest.raises(MonodepthError, match=expected):
            start_node("-p", given)


def test_a_misspelt_launch_argument_is_named_with_the_nearest_one():
    (line,) = notes_on_arguments({"imge": "/camera", "image": "image", "robot_name": "r2"}, {"image", "bag"})
    assert "imge:=" in line and "did you mean image:=" in line, line


def test_a_second_node_of_the_name_is_said_when_it_comes_and_no_more_when_it_has_gone(start_node, monkeypatch):
    monkeypatch.setattr(namesakes, "LASTING", 0.0)
    node = start_node()
    watch = Namesakes(node)
    assert watch.problem() == "", "the node itself"
    twin = rclpy.create_node("depth_node", context=node.context)
    text = watch.problem()
    assert "2 nodes are named /depth_node" in text and "__node:=" in text and "namespace" in text, text
    assert "2 nodes are named" in warnings_of(node)
    twin.destroy_node()
    rclpy.create_node("depth_node", context=node.context, namespace="/other").destroy_node()
    assert watch.problem() == ""
