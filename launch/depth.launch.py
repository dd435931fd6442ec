"""Launch the depth node, optionally with a recording to play and RViz to look at it.

ros2 launch monodepth_ros depth.launch.py checkpoint:=/path/to/weights image:=/camera/image_raw
ros2 launch monodepth_ros depth.launch.py -s          (explains every argument)
"""

import os

from ament_index_python.packages import PackageNotFoundError, get_package_prefix, get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, EmitEvent, OpaqueFunction
from launch.events import matches_action
from launch.events.process import ShutdownProcess
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

CONFIG = os.path.join(get_package_share_directory("monodepth_ros"), "config")

# Loading the networks takes seconds; what the player publishes before the node listens would be lost.
WAIT_FOR_NODE = ("--wait-subscribers", "1", "--wait-timeout", "30")

ARGUMENTS = [
    DeclareLaunchArgument("namespace", default_value="", description="Namespace of the node and its topics."),
    DeclareLaunchArgument(
        "params_file",
        default_value=os.path.join(CONFIG, "depth.yaml"),
        description="Parameter file; the arguments given here win over it.",
    ),
    DeclareLaunchArgument(
        "image", default_value="image", description="Image topic without /compressed, e.g. /camera/image_raw."
    ),
    DeclareLaunchArgument(
        "image_transport", default_value="", description="raw or compressed; empty: as in the parameter file."
    ),
    DeclareLaunchArgument(
        "camera_info",
        default_value="",
        description="Calibration topic; empty: camera_info beside the image topic.",
    ),
    DeclareLaunchArgument(
        "checkpoint",
        default_value="",
        description="A .safetensors checkpoint or a weights folder in monodepth2's format.",
    ),
    DeclareLaunchArgument(
        "device", default_value="", description="auto, cpu, cuda or cuda:N; empty: as in the parameter file."
    ),
    DeclareLaunchArgument(
        "bag",
        default_value="",
        description="Recording to play once the node listens (rosbag2 folder, .mcap, .db3, ROS 1 .bag).",
    ),
    DeclareLaunchArgument(
        "rviz", default_value="false", description="Open RViz with config/depth.rviz (true or false)."
    ),
    DeclareLaunchArgument(
        "fixed_frame",
        default_value="odom",
        description="RViz's fixed frame; the camera's optical frame where there is no odometry.",
    ),
    DeclareLaunchArgument(
        "use_sim_time",
        default_value="",
        description="true or false: use /clock, which the player of bag then publishes; "
        "empty: as in the parameter file (false).",
    ),
    DeclareLaunchArgument(
        "autostart",
        default_value="",
        description="true or false: configure and activate at start, or leave that to a lifecycle manager; "
        "empty: as in the parameter file (true).",
    ),
    DeclareLaunchArgument(
        "log_level", default_value="info", description="Of the node: debug, info, warn, error or fatal."
    ),
]


def boolean(name: str, text: str) -> bool | None:
    """A launch argument as a boolean; None where it is empty."""
    values = {"": None, "true": True, "1": True, "false": False, "0": False}
    if text.lower() not in values:
        raise ValueError(f"{name}:={text}: expected true or false")
    return values[text.lower()]


def existing_path(name: str, text: str) -> str:
    """A launch argument as a path; the shell leaves the tilde in `bag:=~/drive` alone."""
    path = os.path.expanduser(text)
    if path and not os.path.exists(path):
        raise FileNotFoundError(f"{name}:={text}: no such file or folder")
    return path


def middleware_profile() -> dict[str, str]:
    """Environment with room for clouds of 2 MB, which Fast DDS's default shared memory loses.

    Empty where the user has a profile of their own.
    """
    # Two generations of Fast DDS, two variables; the newer one complains about the older's.
    variables = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
    if any(os.environ.get(variable) for variable in variables):
        return {}
    is_older = os.environ.get("ROS_DISTRO") in ("humble", "iron", "jazzy")
    return {variables[0 if is_older else 1]: os.path.join(CONFIG, "fastdds_large_messages.xml")}


def nodes(context: LaunchContext) -> list[Node]:
    """The nodes that the arguments ask for; ValueError or FileNotFoundError for arguments that do not fit."""
    given = {argument.name: LaunchConfiguration(argument.name).perform(context) for argument in ARGUMENTS}
    use_sim_time = boolean("use_sim_time", given["use_sim_time"])
    wants_rviz = boolean("rviz", given["rviz"])
    bag = existing_path("bag", given["bag"])
    player = player_node(bag, bool(use_sim_time)) if bag else None
    found = [depth_node(given, use_sim_time, player)]
    if player is not None:
        found.append(player)
    if wants_rviz:
        found.append(rviz_node(given, use_sim_time))
    return found


def depth_node(given: dict[str, str], use_sim_time: bool | None, player: Node | None) -> Node:
    """The node; when it ends, the player has nobody to play to."""
    image = given["image"]
    if image.endswith("/compressed"):
        raise ValueError(f"image:={image}: leave /compressed away and add image_transport:=compressed")
    given["checkpoint"] = os.path.expanduser(given["checkpoint"])
    # Declared as strings: launch would read a value like 2026 or 1e3 as a number.
    overrides = {
        name: ParameterValue(given[name], value_type=str)
        for name in ("checkpoint", "device", "image_transport")
        if given[name]
    }
    params_file = existing_path("params_file", given["params_file"])
    switches = {"autostart": boolean("autostart", given["autostart"]), "use_sim_time": use_sim_time}
    overrides.update({name: value for name, value in switches.items() if value is not None})
    return Node(
        package="monodepth_ros",
        executable="depth_node",
        name="depth_node",
        namespace=given["namespace"],
        parameters=[params_file, overrides] if params_file else [overrides],
        remappings=[(name, given[name]) for name in ("image", "camera_info") if given[name]],
        ros_arguments=["--log-level", given["log_level"]],
        additional_env=middleware_profile(),
        output="screen",
        emulate_tty=True,
        on_exit=player and EmitEvent(event=ShutdownProcess(process_matcher=matches_action(player))),
    )


def player_node(bag: str, publishes_clock: bool) -> Node:
    """The player of a recording."""
    return Node(
        package="monodepth_ros",
        executable="play",
        arguments=[bag, *WAIT_FOR_NODE, *(["--clock"] if publishes_clock else [])],
        additional_env=middleware_profile(),
        output="screen",
    )


def rviz_node(given: dict[str, str], use_sim_time: bool | None) -> Node:
    """RViz, in the node's namespace: the topics in its configuration are relative."""
    try:
        get_package_prefix("rviz2")
    except PackageNotFoundError:
        raise ValueError("rviz:=true: there is no RViz here: install the ROS package rviz2") from None
    return Node(
        package="rviz2",
        executable="rviz2",
        namespace=given["namespace"],
        arguments=["-d", os.path.join(CONFIG, "depth.rviz"), "-f", given["fixed_frame"]],
        parameters=[] if use_sim_time is None else [{"use_sim_time": use_sim_time}],
    )


def generate_launch_description() -> LaunchDescription:
    """What `ros2 launch` runs."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=nodes)])
