# SPDX-License-Identifier: Apache-2.0
"""The launch file for several cameras in the real launch: names, topics and settings of the node."""

from pathlib import Path

import pytest

# `import launch` alone succeeds at the root of the project, whose folder launch/ looks like a package.
pytest.importorskip("launch.actions", reason="no launch here (it is not on PyPI): source an apt ROS 2 to test it")
pytest.importorskip("launch_ros.actions", reason="no launch_ros here (it is not on PyPI)")

import launch.logging
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

from launch import LaunchDescription
from monodepth_ros.settings.files import read_ros_parameters

ROOT = Path(__file__).resolve().parents[2]
LAUNCH_FILE = ROOT / "launch" / "multi_camera.launch.py"


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


def topics(process):
    return {name: topic for name, topic in process.remappings.items() if not name.startswith("__")}


def test_names_set_the_parameter_and_the_image_topics(started):
    node = started(cameras="front, left,right")["depth_node"]
    expected = read_ros_parameters(ROOT / "config" / "depth.yaml") | {"cameras": ["front", "left", "right"]}
    assert node.parameters == expected
    assert topics(node) == {f"{name}/image": f"{name}/image_raw" for name in ("front", "left", "right")}


def test_a_pattern_gives_every_camera_its_topics(started):
    node = started(
        cameras="front,left",
        image_topic="/rig/{camera}/image_color",
        info_topic="/calibration/{camera}",
        namespace="robot",
        odometry_camera="left",
        image_transport="compressed",
        device="cpu",
        checkpoint="2026",
        log_level="debug",
        autostart="false",
        camera_height="1.2",
        scale_odometry="/wheels/odom",
        base_frame="base_footprint",
        odom_frame="visual_odom",
        publish_tf="false",
        rectified="true",
        engine="pytorch",
    )["depth_node"]
    assert topics(node) == {
        "front/image": "/rig/front/image_color",
        "front/camera_info": "/calibration/front",
        "left/image": "/rig/left/image_color",
        "left/camera_info": "/calibration/left",
    }
    given = ("odometry.camera", "image_transport", "device", "checkpoint", "autostart")
    assert [node.parameters[name] for name in given] == ["left", "compressed", "cpu", "2026", False]
    given = ("scale.camera_height", "scale.odometry_topic", "base_frame", "odom_frame", "publish_tf", "image.rectified")
    values = [1.2, "/wheels/odom", "base_footprint", "visual_odom", False, True]
    assert [node.parameters[name] for name in given] == values and node.parameters["engine"] == "pytorch"
    assert node.remappings["__ns"] == "/robot" and node.following("--log-level") == ["debug"]


def test_cameras_and_their_settings_can_come_from_the_parameter_file(started, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "/**:\n  ros__parameters:\n    cameras: [front, left]\n"
        "    left: {image_transport: compressed, image: {reliability: reliable}}\n"
    )
    node = started(params_file=str(path))["depth_node"]
    assert node.parameters["cameras"] == ["front", "left"]
    assert node.parameters["left.image_transport"] == "compressed"
    assert set(topics(node)) == {"front/image", "left/image"}
    node = started(params_file=str(path), cameras="rear", image_topic="/only/camera")["depth_node"]
    assert node.parameters["cameras"] == ["rear"] and topics(node) == {"rear/image": "/only/camera"}


def test_each_camera_has_its_calibration_and_its_pose(started, tmp_path):
    for camera in ("front", "left"):
        (tmp_path / f"{camera}.yaml").touch()
    found = started(
        cameras="front,left",
        calibration_file=f"{tmp_path}/{{camera}}.yaml",
        camera_pose="front=0.2,0,1,0,0,0; left=0,0.2,1,0,0,1.57",
        base_frame="chassis",
    )
    node, placer = found["depth_node"], found["camera_pose"]
    assert [node.parameters[f"{name}.calibration_file"] for name in ("front", "left")] == [
        f"{tmp_path}/front.yaml", f"{tmp_path}/left.yaml",
    ]  # fmt: skip
    assert "calibration_file" not in node.following("-p")
    assert placer.arguments[:4] == ["--base", "chassis", "front=0.2,0,1,0,0,0", "left=0,0.2,1,0,0,1.57"]


def test_the_player_waits_for_every_camera_and_publishes_the_clock_if_asked(started, tmp_path):
    bag = tmp_path / "drive.mcap"
    bag.touch()
    player = started(cameras="front,left", bag=str(bag), use_sim_time="true")["play"]
    assert player.arguments[0] == str(bag) and "--clock" in player.arguments
    assert player.following("--wait-subscribers") == ["2"]


def test_rviz_shows_the_first_camera(started):
    found = started(cameras="front,left", rviz="true", namespace="robot", fixed_frame="map")
    rviz = found["rviz2"]
    shown = ("rgb/image_rect", "depth/color", "depth/points")
    assert topics(rviz) == {topic: f"front/{topic}" for topic in shown}
    assert rviz.remappings["__ns"] == "/robot" and rviz.following("-f") == ["map"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({}, "cameras:= is empty"),
        ({"cameras": " , "}, "cameras:= is empty"),
        ({"cameras": "a,b", "image_topic": "/image"}, "image_topic:=/image: write {camera}"),
        ({"cameras": "a,b", "info_topic": "/info"}, "info_topic:=/info: write {camera}"),
        ({"cameras": "a", "image_topic": "/{camera}/compressed"}, "leave /compressed away"),
        (
            {"cameras": "a", "params_file": "/nowhere.yaml"},
            "params_file:=/nowhere.yaml: no such file or folder",
        ),
        ({"cameras": "a,b", "calibration_file": "/c.yaml"}, "calibration_file:=/c.yaml: write {camera}"),
        ({"cameras": "a", "calibration_file": "/no/{camera}.yaml"}, "calibration_file:=/no/a.yaml: no such file"),
        ({"cameras": "a", "camera_pose": "1,2,3,0,0,0"}, "expected the name of a camera before each pose, e.g. a="),
        ({"cameras": "a", "camera_pose": "a=1,2"}, "camera pose 'a=1,2': expected x,y,z,roll,pitch,yaw"),
        ({"cameras": "a", "bag": "/nowhere/drive"}, "bag:=/nowhere/drive: no such file or folder"),
        ({"cameras": "a", "rviz": "maybe"}, "rviz:=maybe: expected true or false"),
        ({"cameras": "a", "use_sim_time": "5"}, "use_sim_time:=5: expected true or false"),
    ],
)
def test_a_bad_argument_starts_nothing_and_gives_one_error(run, caplog, monkeypatch, arguments, message):
    monkeypatch.setattr(launch.logging.get_logger("launch"), "propagate", True)
    exit_code, found = run(LaunchDescription([included(**arguments)]))
    errors = [r.getMessage() for r in caplog.records if r.name == "launch" and r.levelname == "ERROR"]
    assert exit_code == 1 and not found, (exit_code, found)
    assert len(errors) == 1 and message in errors[0], errors
