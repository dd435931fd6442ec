# SPDX-License-Identifier: Apache-2.0
"""Shared code of the launch files: the node, RViz, and the declaration and checks of the arguments."""

import os
from collections.abc import Collection, Mapping
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch.action import Action
from launch.actions import DeclareLaunchArgument
from launch.launch_context import LaunchContext
from launch.logging import get_logger
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from monodepth_ros.config_files import config_file
from monodepth_ros.pipeline.base_choice import AUTO
from monodepth_ros.pipeline.robot_inputs.camera_pose import parse_pose
from monodepth_ros.ros.launch_arguments import Argument
from monodepth_ros.ros.middleware_profile import FILE, VARIABLES, profile_variable
from monodepth_ros.ros.parameters.unknown_names import notes_on_arguments
from monodepth_ros.settings.files import read_ros_parameters

# Launch arguments that are passed to the node as they are, with the parameters that they set.
TEXT_PARAMETERS = {
    "checkpoint": "checkpoint",
    "device": "device",
    "image_transport": "image_transport",
    "scale_source": "scale.source",
    "scale_odometry": "scale.odometry_topic",
    "base_frame": "base_frame",
    "odom_frame": "odom_frame",
    "engine": "engine",
    "calibration_file": "calibration_file",
}
SWITCH_PARAMETERS = {
    "autostart": "autostart",
    "use_sim_time": "use_sim_time",
    "publish_tf": "publish_tf",
    "rectified": "image.rectified",
}
NUMBER_PARAMETERS = {"camera_height": "scale.camera_height"}


def declare(arguments: Mapping[str, Argument]) -> list[DeclareLaunchArgument]:
    """The declarations of launch arguments."""
    return [
        DeclareLaunchArgument(name, default_value=argument.default, description=argument.description)
        for name, argument in arguments.items()
    ]


def warn_of_unknown(context: LaunchContext, arguments: Collection[DeclareLaunchArgument]) -> None:
    """Log a line for each argument that no launch file declares and that is like one of `arguments`."""
    for line in notes_on_arguments(context.launch_configurations, {argument.name for argument in arguments}):
        get_logger("monodepth_ros").warning(line)


def boolean(name: str, text: str) -> bool | None:
    """A launch argument as a boolean; None if it is empty. ValueError for anything else."""
    values = {"": None, "true": True, "1": True, "false": False, "0": False}
    if text.lower() not in values:
        raise ValueError(f"{name}:={text}: expected true or false")
    return values[text.lower()]


def number(name: str, text: str) -> float:
    """A launch argument as a number. ValueError for anything else."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name}:={text}: expected a number") from None


def existing_path(name: str, text: str) -> str:
    """A launch argument as a path, with its tilde expanded; FILE#NAME is the camera NAME of a calibration file.

    FileNotFoundError if the path does not exist.
    """
    path = os.path.expanduser(text)
    if path and not os.path.exists(path) and not os.path.isfile(path.rpartition("#")[0]):
        raise FileNotFoundError(f"{name}:={text}: no such file or folder")
    return path


def middleware_profile() -> dict[str, str]:
    """Environment variables with a Fast DDS profile for large messages; empty if the user has a profile.

    Fast DDS loses clouds of 2 MB with its default shared memory.
    """
    if any(os.environ.get(variable) for variable in VARIABLES):
        return {}
    return {profile_variable(): str(config_file(FILE))}


def depth_node(
    given: dict[str, str],
    remappings: list[tuple[str, str]],
    parameters: dict[str, Any] | None = None,
    on_exit: Action | None = None,
) -> Node:
    """The node for the launch arguments `given`. parameters: override the parameter file.

    ValueError or FileNotFoundError for an invalid argument.
    """
    texts = given | {
        "checkpoint": os.path.expanduser(given["checkpoint"]),
        "calibration_file": existing_path("calibration_file", given.get("calibration_file", "")),
    }
    # Declared as strings: launch would read a value like 2026 or 1e3 as a number.
    overrides = {
        parameter: ParameterValue(texts[name], value_type=str)
        for name, parameter in TEXT_PARAMETERS.items()
        if texts.get(name)
    }
    overrides |= {
        parameter: number(name, given[name]) for name, parameter in NUMBER_PARAMETERS.items() if given.get(name)
    }
    switches = {parameter: boolean(name, given[name]) for name, parameter in SWITCH_PARAMETERS.items()}
    overrides |= {name: value for name, value in switches.items() if value is not None} | (parameters or {})
    params_file = existing_path("params_file", given["params_file"])
    return Node(
        package="monodepth_ros",
        executable="depth_node",
        name="depth_node",
        namespace=given["namespace"],
        parameters=[params_file, overrides] if params_file else [overrides],
        remappings=remappings,
        ros_arguments=["--log-level", given["log_level"]],
        additional_env=middleware_profile(),
        output="screen",
        emulate_tty=True,
        on_exit=on_exit,
    )


def player_node(given: dict[str, str], subscribers: int) -> Node | None:
    """The player of the recording `bag`, which waits for the node's subscriptions to images; None without a recording.

    With use_sim_time it publishes the clock. FileNotFoundError for a recording that does not exist.
    """
    bag = existing_path("bag", given["bag"])
    if not bag:
        return None
    return Node(
        package="monodepth_ros",
        executable="play",
        arguments=[
            bag,
            # Loading the networks takes seconds; messages published before the node has subscribed would be lost.
            *("--wait-subscribers", str(subscribers), "--wait-timeout", "30"),
            *(["--clock"] if boolean("use_sim_time", given["use_sim_time"]) else []),
        ],
        additional_env=middleware_profile(),
        output="screen",
    )


def camera_pose_node(given: dict[str, str], poses: list[str]) -> Node | None:
    """The publisher of the static transforms to cameras at these poses; None without poses.

    The poses are in base_frame, which is base_link unless argument or parameter file name another. ValueError for a
    pose that cannot be read.
    """
    if not poses:
        return None
    for pose in poses:
        parse_pose(pose)
    params_file = existing_path("params_file", given["params_file"])
    stated = given["base_frame"] or (read_ros_parameters(params_file).get("base_frame", "") if params_file else "")
    stated = stated if isinstance(stated, str) else ""  # the node refuses any other kind in words
    return Node(
        package="monodepth_ros",
        executable="camera_pose",
        name="camera_pose",
        namespace=given["namespace"],
        arguments=["--base", "base_link" if stated in ("", AUTO) else stated, *poses],
        output="screen",
    )


def rviz_node(given: dict[str, str], remappings: list[tuple[str, str]] | None = None) -> Node:
    """RViz in the node's namespace, because its configuration has relative topics. ValueError if RViz is missing."""
    try:
        get_package_prefix("rviz2")
    except PackageNotFoundError:
        raise ValueError("rviz:=true: RViz is not installed: install the ROS package rviz2") from None
    use_sim_time = boolean("use_sim_time", given["use_sim_time"])
    return Node(
        package="rviz2",
        executable="rviz2",
        namespace=given["namespace"],
        arguments=["-d", str(config_file("depth.rviz")), "-f", given["fixed_frame"] or given["odom_frame"] or "odom"],
        parameters=[] if use_sim_time is None else [{"use_sim_time": use_sim_time}],
        remappings=remappings,
    )
