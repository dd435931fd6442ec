"""Launch the depth node, optionally with a recording to play and RViz to look at it.

    ros2 launch monodepth_ros depth.launch.py checkpoint:=/path/to/weights image:=/camera/image_raw
    ros2 launch monodepth_ros depth.launch.py -s          (explains every argument)
"""

import os

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

SHARE = get_package_share_directory("monodepth_ros")

ARGUMENTS = [
    DeclareLaunchArgument("namespace", default_value="", description="Namespace of the node and its topics."),
    DeclareLaunchArgument(
        "params_file",
        default_value=os.path.join(SHARE, "config", "depth.yaml"),
        description="Parameter file; the arguments given here win over it.",
    ),
    DeclareLaunchArgument(
        "image", default_value="image", description="Image topic without /compressed, e.g. /camera/image_raw."
    ),
    DeclareLaunchArgument(
        "image_transport", default_value="", description="raw or compressed; empty: as in the parameter file."
    ),
    DeclareLaunchArgument(
        "camera_info", default_value="", description="Calibration topic; empty: camera_info beside the image topic."
    ),
    DeclareLaunchArgument(
        "checkpoint", default_value="", description="A .safetensors checkpoint or a weights folder in monodepth2's format."
    ),
    DeclareLaunchArgument("device", default_value="", description="auto, cpu, cuda or cuda:N; empty: as in the parameter file."),
    DeclareLaunchArgument("bag", default_value="", description="Recording to play (rosbag2 folder, .mcap, .db3, ROS 1 .bag)."),
    DeclareLaunchArgument("rviz", default_value="false", description="Open RViz with config/depth.rviz (true or false)."),
    DeclareLaunchArgument("fixed_frame", default_value="odom", description="RViz's fixed frame."),
    DeclareLaunchArgument(
        "use_sim_time", default_value="false", description="Use /clock; with bag, the player publishes it (true or false)."
    ),
    DeclareLaunchArgument(
        "autostart", default_value="true", description="Configure and activate at start; false for a lifecycle manager."
    ),
    DeclareLaunchArgument("log_level", default_value="info", description="debug, info, warn, error or fatal."),
]


def is_true(text: str) -> bool:
    """A launch argument as a boolean."""
    if text.lower() not in ("true", "false", "1", "0"):
        raise ValueError(f"'{text}' must be true or false")
    return text.lower() in ("true", "1")


def nodes(context) -> list:
    """The actions that the arguments ask for."""
    given = {argument.name: LaunchConfiguration(argument.name).perform(context) for argument in ARGUMENTS}
    use_sim_time = is_true(given["use_sim_time"])
    overrides = {name: given[name] for name in ("checkpoint", "device", "image_transport") if given[name]}
    overrides.update(autostart=is_true(given["autostart"]), use_sim_time=use_sim_time)
    remappings = [("image", given["image"])] if given["image"] != "image" else []
    if given["camera_info"]:
        remappings.append(("camera_info", given["camera_info"]))
    environment = {}
    if not os.environ.get("FASTRTPS_DEFAULT_PROFILES_FILE") and not os.environ.get("FASTDDS_DEFAULT_PROFILES_FILE"):
        # Clouds of 2 MB are lost in Fast DDS's default shared memory, whose size the sender decides.
        environment["FASTRTPS_DEFAULT_PROFILES_FILE"] = os.path.join(SHARE, "config", "fastdds_large_messages.xml")
    actions = [
        Node(
            package="monodepth_ros",
            executable="depth_node",
            name="depth_node",
            namespace=given["namespace"],
            parameters=[given["params_file"], overrides],
            remappings=remappings,
            arguments=["--ros-args", "--log-level", given["log_level"]],
            additional_env=environment,
            output="screen",
            emulate_tty=True,
        )
    ]
    if given["bag"]:
        clock = ["--clock"] if use_sim_time else []
        player = Node(
            package="monodepth_ros",
            executable="play",
            name="play",
            arguments=[given["bag"], *clock],
            additional_env=environment,
            output="screen",
        )
        actions += [LogInfo(msg=f"playing {given['bag']}"), player]
    if is_true(given["rviz"]):
        config = os.path.join(SHARE, "config", "depth.rviz")
        actions.append(
            Node(
                package="rviz2",
                executable="rviz2",
                name="rviz2",
                namespace=given["namespace"],
                arguments=["-d", config, "-f", given["fixed_frame"]],
                parameters=[{"use_sim_time": use_sim_time}],
            )
        )
    return actions


def generate_launch_description() -> LaunchDescription:
    """What `ros2 launch` runs."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=nodes)])
