# SPDX-License-Identifier: Apache-2.0
"""The launch file in the real launch: the processes it starts, their arguments and settings."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

# `import launch` alone succeeds at the root of the project, whose folder launch/ looks like a package.
pytest.importorskip("launch.actions", reason="no launch here (it is not on PyPI): source an apt ROS 2 to test it")
pytest.importorskip("launch_ros.actions", reason="no launch_ros here (it is not on PyPI)")

import launch.logging
from launch.actions import GroupAction, IncludeLaunchDescription
from launch.launch_description_sources import (
    PythonLaunchDescriptionSource,
    get_launch_description_from_python_launch_file,
)
from launch_ros.actions import PushRosNamespace, SetParameter

from launch import LaunchDescription
from monodepth_ros.settings.files import read_ros_parameters

ROOT = Path(__file__).resolve().parents[2]
LAUNCH_FILE = ROOT / "launch" / "depth.launch.py"
ARGUMENTS = {
    "namespace",
    "params_file",
    "image",
    "image_transport",
    "camera_info",
    "calibration_file",
    "rectified",
    "camera_pose",
    "base_frame",
    "odom_frame",
    "publish_tf",
    "checkpoint",
    "device",
    "engine",
    "scale_source",
    "camera_height",
    "scale_odometry",
    "bag",
    "rviz",
    "fixed_frame",
    "use_sim_time",
    "autostart",
    "log_level",
}
PROFILES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")


def included(**arguments):
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(LAUNCH_FILE)), launch_arguments=list(arguments.items())
    )


@pytest.fixture
def started(run):
    """A function that runs the launch file with arguments; the started processes by name."""

    def started(**arguments):
        started_by = {"bag": "play", "rviz": "rviz2", "camera_pose": "camera_pose"}
        others = [name for argument, name in started_by.items() if argument in arguments]
        exit_code, found = run(LaunchDescription([included(**arguments)]), *others)
        assert exit_code == 0 and set(found) == {"depth_node", *others}
        return found

    return started


def test_every_argument_is_declared_and_explained():
    description = get_launch_description_from_python_launch_file(str(LAUNCH_FILE))
    explained = {a.name: a.description for a in description.get_launch_arguments()}
    assert set(explained) == ARGUMENTS
    short = {name: text for name, text in explained.items() if len(text) < 20}
    assert not short, f"not explained: {short}"


def test_by_default_the_node_starts_alone_with_the_unchanged_parameter_file(started):
    node = started()["depth_node"]
    assert node.parameters == read_ros_parameters(ROOT / "config" / "depth.yaml")
    assert node.remappings["__node"] == "depth_node" and node.remappings["__ns"] == "/"
    assert node.following("--log-level") == ["info"]


def test_arguments_override_the_parameter_file(started, tmp_path):
    params_file = tmp_path / "mine.yaml"
    params_file.write_text(
        "/**:\n  ros__parameters:\n    checkpoint: mine\n    device: cpu\n    image_transport: raw\n"
        "    autostart: true\n    path_length: 7\n"
    )
    node = started(
        params_file=str(params_file),
        checkpoint="yours",
        device="cuda:1",
        scale_source="odometry",
        camera_height="2",
        scale_odometry="/wheels/odom",
        base_frame="base_footprint",
        odom_frame="visual_odom",
        publish_tf="false",
        rectified="true",
        engine="pytorch",
        calibration_file=str(params_file),
        image_transport="compressed",
        autostart="false",
        use_sim_time="true",
        log_level="debug",
        namespace="front",
    )["depth_node"]
    assert node.parameters == {
        "checkpoint": "yours", "device": "cuda:1", "scale.source": "odometry", "scale.camera_height": 2.0,
        "scale.odometry_topic": "/wheels/odom", "image_transport": "compressed", "autostart": False,
        "use_sim_time": True, "path_length": 7, "base_frame": "base_footprint", "odom_frame": "visual_odom",
        "publish_tf": False, "image.rectified": True, "engine": "pytorch", "calibration_file": str(params_file),
    }  # fmt: skip
    assert node.following("--params-file")[0] == str(params_file)
    assert node.following("--log-level") == ["debug"] and node.remappings["__ns"] == "/front"


def test_arguments_not_given_leave_the_parameter_file(started, tmp_path):
    params_file = tmp_path / "mine.yaml"
    params_file.write_text("/**:\n  ros__parameters:\n    autostart: false\n    use_sim_time: true\n    device: cpu\n")
    node = started(params_file=str(params_file))["depth_node"]
    assert node.parameters == {"autostart": False, "use_sim_time": True, "device": "cpu"}


@pytest.mark.parametrize("checkpoint", ["2026", "true", "old: with # in it"])
def test_a_checkpoint_whose_name_looks_like_something_else_stays_a_string(started, checkpoint):
    assert started(checkpoint=checkpoint)["depth_node"].parameters["checkpoint"] == checkpoint


def test_topics_are_remapped(started):
    remappings = started(image="/camera/image_raw")["depth_node"].remappings
    assert remappings["image"] == "/camera/image_raw" and "camera_info" not in remappings
    remappings = started(image="left/image", camera_info="/calibration")["depth_node"].remappings
    assert remappings["image"] == "left/image" and remappings["camera_info"] == "/calibration"


def test_the_player_waits_for_the_node_and_publishes_the_clock_if_asked(started, tmp_path):
    bag = tmp_path / "drive.mcap"
    bag.touch()
    player = started(bag=str(bag))["play"]
    assert player.arguments[0] == str(bag) and "--clock" not in player.arguments
    assert player.following("--wait-subscribers") == ["1"]
    assert "--clock" in started(bag=str(bag), use_sim_time="true")["play"].arguments
    assert "--clock" not in started(bag=str(bag), use_sim_time="false")["play"].arguments


@pytest.mark.parametrize(
    ("arguments", "parameters", "base"),
    [
        ({}, "{}", "base_link"),
        ({"base_frame": "chassis"}, "{base_frame: torso}", "chassis"),
        ({}, "{base_frame: torso}", "torso"),
        ({"base_frame": "auto"}, "{base_frame: torso}", "base_link"),
    ],
)
def test_the_pose_of_the_camera_is_published_in_the_base(started, tmp_path, arguments, parameters, base):
    params_file = tmp_path / "mine.yaml"
    params_file.write_text(f"/**:\n  ros__parameters: {parameters}\n")
    pose = "-0.2,0,0.9,0,0.1,0"
    placer = started(params_file=str(params_file), camera_pose=pose, namespace="front", **arguments)["camera_pose"]
    assert placer.arguments[:3] == ["--base", base, pose] and placer.remappings["__ns"] == "/front"


def test_paths_may_begin_with_a_tilde(started, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "drive.bag").touch()
    found = started(bag="~/drive.bag", checkpoint="~/weights")
    assert found["play"].arguments[0] == f"{tmp_path}/drive.bag"
    assert found["depth_node"].parameters["checkpoint"] == f"{tmp_path}/weights"


@pytest.mark.parametrize("asked", ["true", "True"])
def test_rviz_shows_the_topics_of_the_namespace(started, asked):
    rviz = started(rviz=asked, namespace="front", fixed_frame="map", use_sim_time="true")["rviz2"]
    assert Path(rviz.following("-d")[0]).read_text() == (ROOT / "config" / "depth.rviz").read_text()
    assert rviz.following("-f") == ["map"] and rviz.remappings["__ns"] == "/front"
    assert rviz.parameters == {"use_sim_time": True}


@pytest.mark.parametrize(("arguments", "frame"), [({}, "odom"), ({"odom_frame": "visual_odom"}, "visual_odom")])
def test_the_fixed_frame_of_rviz_is_that_of_the_odometry(started, arguments, frame):
    assert started(rviz="true", **arguments)["rviz2"].following("-f") == [frame]


def test_namespace_and_clock_of_an_including_launch_file_are_kept(run):
    group = GroupAction([PushRosNamespace("robot"), SetParameter("use_sim_time", True), included(namespace="front")])
    exit_code, found = run(LaunchDescription([group]))
    assert exit_code == 0
    node = found["depth_node"]
    assert node.remappings["__ns"] == "/robot/front"
    assert "use_sim_time" not in node.parameters
    assert [rule.lower().split()[0] for rule in node.following("-p")] == ["use_sim_time:=true"]


@pytest.mark.parametrize(
    "distro, variable",
    [("humble", PROFILES[0]), ("jazzy", PROFILES[0]), ("kilted", PROFILES[1]), ("", PROFILES[1])],
)
def test_large_messages_get_a_middleware_profile(started, monkeypatch, tmp_path, distro, variable):
    monkeypatch.setenv("ROS_DISTRO", distro)
    (tmp_path / "drive").mkdir()
    for name, process in started(bag=str(tmp_path / "drive")).items():
        given = {v: process.environment[v] for v in PROFILES if v in process.environment}
        assert list(given) == [variable], f"{name}: {given}"
        wanted = ROOT / "config" / "fastdds_large_messages.xml"
        assert Path(given[variable]).read_text() == wanted.read_text()


@pytest.mark.parametrize("variable", PROFILES)
def test_a_middleware_profile_of_the_user_is_kept(started, monkeypatch, variable):
    monkeypatch.setenv(variable, "/mine.xml")
    environment = started()["depth_node"].environment
    assert {v: environment.get(v) for v in PROFILES} == {v: "/mine.xml" if v == variable else None for v in PROFILES}


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"rviz": "maybe"}, "rviz:=maybe: expected true or false"),
        ({"use_sim_time": "yes"}, "use_sim_time:=yes: expected true or false"),
        ({"autostart": "-1"}, "autostart:=-1: expected true or false"),
        ({"bag": "/nowhere/drive"}, "bag:=/nowhere/drive: no such file or folder"),
        ({"params_file": "/nowhere.yaml"}, "params_file:=/nowhere.yaml: no such file or folder"),
        ({"image": "/camera/compressed"}, "image:=/camera/compressed: leave /compressed away"),
        ({"namespace": "not-a-name"}, "Invalid namespace"),
        ({"publish_tf": "no"}, "publish_tf:=no: expected true or false"),
        ({"calibration_file": "/nowhere.yaml"}, "calibration_file:=/nowhere.yaml: no such file or folder"),
        ({"camera_pose": "1,2,3"}, "camera pose '1,2,3': expected x,y,z,roll,pitch,yaw"),
    ],
)
def test_a_bad_argument_starts_nothing_and_gives_one_error(run, caplog, monkeypatch, arguments, message):
    monkeypatch.setattr(launch.logging.get_logger("launch"), "propagate", True)
    exit_code, found = run(LaunchDescription([included(**arguments)]))
    errors = [r.getMessage() for r in caplog.records if r.name == "launch" and r.levelname == "ERROR"]
    assert exit_code == 1 and not found and len(errors) == 1 and message in errors[0], (
        exit_code,
        found,
        errors,
    )


def test_the_player_ends_with_the_node(started, monkeypatch, tmp_path):
    (tmp_path / "drive").mkdir()
    monkeypatch.setenv("STAYS", "play")
    started(bag=str(tmp_path / "drive"))


def test_ros2_launch_explains_every_argument():
    if shutil.which("ros2") is None:
        pytest.skip("no ros2 command here")
    shown = subprocess.run(
        ["ros2", "launch", str(LAUNCH_FILE), "-s"], capture_output=True, text=True, timeout=60, env=os.environ
    )
    assert shown.returncode == 0, shown.stderr
    assert set(re.findall(r"^ +'(\w+)':$", shown.stdout, re.MULTILINE)) == ARGUMENTS, shown.stdout
