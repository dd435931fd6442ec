# SPDX-License-Identifier: Apache-2.0
"""The parameters of several cameras: declaration, fallback to the node-wide settings, refusals."""

import pytest
import rclpy
from rclpy.parameter import Parameter

from monodepth_ros.errors import MonodepthError
from monodepth_ros.ros.live.lifecycle_node import DepthNode

OWN = ("calibration_file", "image_transport", "image.encoding", "image.field_of_view", "image.reliability")


@pytest.fixture
def start_node():
    """A function that makes a node from command-line arguments."""
    context = rclpy.Context()
    rclpy.init(context=context)
    made = []

    def start(*arguments):
        words = [word for item in arguments for word in ("-p", item)]
        made.append(DepthNode(context=context, cli_args=["--ros-args", *words]))
        return made[-1]

    yield start
    for node in made:
        node.destroy_node()
    context.try_shutdown()


def set_all(node, **pairs):
    given = [Parameter(name.replace("__", "."), value=value) for name, value in pairs.items()]
    return node.set_parameters_atomically(given)


def camera_parameters(node):
    return sorted(
        name for name in node.get_parameters_by_prefix("") if name.split(".")[0] in ("front", "left", "right")
    )


def configs(node):
    return {
        name: (
            config.calibration_file,
            config.image_transport,
            config.image.reliability,
            config.odometry.enabled,
        )
        for name, config in node.config_by_camera.items()
    }


@pytest.mark.parametrize("arguments", [(), ("cameras:=[]",), ("cameras:=['']",)])
def test_an_empty_cameras_list_gives_one_camera_with_the_node_wide_settings(start_node, arguments):
    node = start_node(*arguments, "image_transport:=compressed")
    assert node.config.cameras == () and configs(node) == {"": ("", "compressed", "best_effort", True)}
    assert list(node.get_parameter("cameras").value) == [""]


def test_unset_camera_settings_fall_back_to_the_node_wide_ones(start_node):
    node = start_node(
        "cameras:=[front, left, right]",
        "calibration_file:=all.yaml",
        "left.calibration_file:=left.yaml",
        "right.image_transport:=compressed",
        "left.image.reliability:=reliable",
        "odometry.camera:=right",
    )
    assert configs(node) == {
        "front": ("all.yaml", "auto", "best_effort", False),
        "left": ("left.yaml", "auto", "reliable", False),
        "right": ("all.yaml", "compressed", "best_effort", True),
    }
    assert camera_parameters(node) == sorted(
        f"{camera}.{name}" for camera in ("front", "left", "right") for name in OWN
    )
    assert set_all(node, image_transport="compressed", left__image_transport="raw").successful
    transports = [config.image_transport for config in node.config_by_camera.values()]
    assert transports == ["compressed", "raw", "compressed"]


def test_the_first_camera_gives_the_odometry_by_default(start_node):
    node = start_node("cameras:=[left, front]")
    assert {name: own[-1] for name, own in configs(node).items()} == {"left": True, "front": False}


def test_camera_parameters_follow_the_list_of_cameras(start_node):
    node = start_node("cameras:=[front]", "left.calibration_file:=left.yaml")
    assert camera_parameters(node) == sorted(f"front.{name}" for name in OWN)
    assert set_all(node, cameras=["front", "left"]).successful
    assert node.get_parameter("left.calibration_file").value == "left.yaml"
    assert set_all(node, front__image_transport="compressed").successful
    assert set_all(node, cameras=["left"]).successful
    assert camera_parameters(node) == sorted(f"left.{name}" for name in OWN)
    assert set_all(node, cameras=[]).successful
    assert camera_parameters(node) == [] and node.config.cameras == ()
    assert set_all(node, cameras=["front"]).successful
    assert configs(node) == {"front": ("", "auto", "best_effort", True)}


BAD = [
    (("cameras:=front",), "cameras is 'front' (a string): it must be a list of strings"),
    (("cameras:=[1, 2]",), "cameras is "),
    (("cameras:=[front, left, front]",), "cameras holds 'front' twice"),
    (("cameras:=['front camera']",), "cameras holds 'front camera'"),
    (("cameras:=['2nd']",), "cameras holds '2nd'"),
    (("cameras:=[front/left]",), "cameras holds 'front/left'"),
    (("cameras:=[front, '']",), "cameras holds ''"),
    (("cameras:=[image, left]",), "cameras holds 'image': settings of the node have that name"),
    (
        ("cameras:=[front]", "odometry.camera:=left"),
        "odometry.camera is 'left': it must be one of cameras (front)",
    ),
    (("odometry.camera:=left",), "odometry.camera is 'left': it must be one of cameras (empty)"),
    (
        ("cameras:=[front]", "front.image_transport:=theora"),
        "front.image_transport is 'theora': it must be one of '', auto, raw",
    ),
    (("cameras:=[front]", "front.image.reliability:=3"), "front.image.reliability is 3 (an integer)"),
    (("scale.source:=stereo",), "scale.source is 'stereo': name both cameras in cameras"),
    (
        ("cameras:=[left, right]", "scale.stereo_camera:=left"),
        "scale.stereo_camera is 'left': it must be one of cameras besides 'left', whose depth is measured (right)",
    ),
    (("scale.stereo_camera:=right",), "scale.stereo_camera is 'right'"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_settings_are_one_error_at_start(start_node, arguments, message):
    with pytest.raises(MonodepthError) as error:
        start_node(*arguments)
    assert message in str(error.value) and "\n" not in str(error.value), str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(cameras=["front", "front"]), "twice"),
        (dict(cameras=["odometry"]), "settings of the node have that name"),
        (dict(cameras=["front", "2nd"]), "letters, digits"),
        (dict(cameras=["right"]), "odometry.camera is 'left'"),
        (dict(cameras=[1, 2]), "a list of strings"),
        (dict(cameras="front"), "a list of strings"),
        (dict(odometry__camera="rear"), "one of cameras (front, left)"),
        (dict(left__image_transport="theora"), "'', auto, raw, compressed"),
        (dict(left__image_transport=True), "a string"),
        (dict(path_length=5, cameras=["front", "left", "bad"]), "bad.image_transport is 'theora'"),
    ],
)
def test_bad_settings_are_refused_at_run_time_and_nothing_changes(start_node, change, message):
    node = start_node("cameras:=[front, left]", "odometry.camera:=left", "bad.image_transport:=theora")
    before, declared = configs(node), sorted(node.get_parameters_by_prefix(""))
    result = set_all(node, **change)
    assert not result.successful and message in result.reason and "\n" not in result.reason, result
    assert configs(node) == before and sorted(node.get_parameters_by_prefix("")) == declared
    assert node.config.path_length == 1000


def test_a_setting_of_an_unknown_camera_is_warned_about(start_node, capfd):
    start_node("cameras:=[front]", "fornt.image_transport:=compressed", "something.else:=1")
    lines = [line for line in capfd.readouterr().err.splitlines() if "WARN" in line and "fornt" in line]
    assert len(lines) == 1 and "fornt.image_transport is ignored" in lines[0] and "(front)" in lines[0], lines


def test_cameras_do_not_change_while_configured(harness, depth_checkpoint):
    node = harness(depth_checkpoint, start=False, listen=(), cameras=["front", "left"])
    assert node.node.trigger_configure().name == "SUCCESS"
    for change in (
        dict(cameras=["front"]),
        dict(front__image_transport="compressed"),
        dict(odometry__camera="left"),
    ):
        result = node.set(**change)
        assert not result.successful and "clean up" in result.reason, result
    assert node.set(enabled=False, depth__max_range=50.0).successful
    assert [stream.config.depth.max_range for stream in node.node.streams] == [50.0, 50.0]
    assert node.node.trigger_cleanup().name == "SUCCESS"
    assert node.set(cameras=["front"], odometry__camera="front").successful


def test_a_calibration_file_of_one_camera_that_cannot_be_read_fails_in_one_line(harness, depth_checkpoint, capfd):
    node = harness(
        depth_checkpoint,
        start=False,
        listen=(),
        cameras=["front", "left"],
        left__calibration_file="/nowhere/left.yaml",
    )
    assert node.node.trigger_configure().name == "FAILURE"
    lines = [line for line in capfd.readouterr().err.splitlines() if "[ERROR]" in line]
    assert len(lines) == 1 and "/nowhere/left.yaml" in lines[0], lines
    assert node.set(left__calibration_file="").successful
    assert node.node.trigger_configure().name == "SUCCESS"
