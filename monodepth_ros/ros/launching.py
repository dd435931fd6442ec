# SPDX-License-Identifier: Apache-2.0
"""Shared code of the launch files: the node, RViz, and the checks of the arguments."""

import os
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_prefix, get_package_share_directory
from launch.action import Action
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from monodepth_ros.ros.middleware_profile import VARIABLES, profile_path, profile_variable

# Launch arguments that are passed to the node as they are, with the parameters that they set.
TEXT_PARAMETERS = {
    "checkpoint": "checkpoint",
    "device": "device",
    "image_transport": "image_transport",
    "scale_source": "scale.source",
    "scale_odometry": "scale.odometry_topic",
}
NUMBER_PARAMETERS = {"camera_height": "scale.camera_height"}


def config_file(name: str) -> str:
    """Path of a file in the package's config folder."""
    return os.path.join(get_package_share_directory("monodepth_ros"), "config", name)


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
    """A launch argument as a path, with its tilde expanded. FileNotFoundError if the path does not exist."""
    path = os.path.expanduser(text)
    if path and not os.path.exists(path):
        raise FileNotFoundError(f"{name}:={text}: no such file or folder")
    return path


def middleware_profile() -> dict[str, str]:
    """Environment variables with a Fast DDS profile for large messages; empty if the user has a profile.

    Fast DDS loses clouds of 2 MB with its default shared memory.
    """
    if any(os.environ.get(variable) for variable in VARIABLES):
        return {}
    return {profile_variable(): profile_path()}


def depth_node(
    given: dict[str, str],
    remappings: list[tuple[str, str]],
    parameters: dict[str, Any] | None = None,
    on_exit: Action | None = None,
) -> Node:
    """The node for the launch arguments `given`. parameters: override the parameter file.

    ValueError or FileNotFoundError for an invalid argument.
    """
    texts = given | {"checkpoint": os.path.expanduser(given["checkpoint"])}
    # Declared as strings: launch would read a value like 2026 or 1e3 as a number.
    overrides = {
        parameter: ParameterValue(texts[name], value_type=str)
        for name, parameter in TEXT_PARAMETERS.items()
        if texts.get(name)
    }
    overrides |= {
        parameter: number(name, given[name]) for name, parameter in NUMBER_PARAMETERS.items() if given.get(name)
    }
    switches = {name: boolean(name, given[name]) for name in ("autostart", "use_sim_time")}
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
        arguments=["-d", config_file("depth.rviz"), "-f", given["fixed_frame"]],
        parameters=[] if use_sim_time is None else [{"use_sim_time": use_sim_time}],
        remappings=remappings,
    )
