# SPDX-License-Identifier: Apache-2.0
"""Launch one depth node for several cameras, with one process and one network.

ros2 launch monodepth_ros multi_camera.launch.py cameras:=front,left,right checkpoint:=/path/to/weights
ros2 launch monodepth_ros multi_camera.launch.py -s          (explains every argument)

Without a checkpoint the bundled demonstration checkpoint runs.
"""

from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchContext, LaunchDescription
from monodepth_ros.ros.launching import boolean, config_file, depth_node, existing_path, rviz_node
from monodepth_ros.settings.files import read_ros_parameters

# The camera topics that RViz shows.
SHOWN_TOPICS = ("rgb/image_rect", "depth/color", "depth/points")

ARGUMENTS = [
    DeclareLaunchArgument(
        "cameras",
        default_value="",
        description="Names of the cameras, separated by commas, e.g. front,left,right; "
        "empty: those of the parameter file.",
    ),
    DeclareLaunchArgument(
        "image_topic",
        default_value="{camera}/image_raw",
        description="Pattern of the cameras' image topics, without /compressed; {camera} stands for the name.",
    ),
    DeclareLaunchArgument(
        "info_topic",
        default_value="",
        description="Pattern of the cameras' calibration topics; {camera} stands for the name; "
        "empty: the camera_info beside each image topic.",
    ),
    DeclareLaunchArgument(
        "image_transport",
        default_value="",
        description="Transport of the images: raw, compressed or auto (raw, unless only compressed images are "
        "published); empty: as in the parameter file (auto).",
    ),
    DeclareLaunchArgument(
        "odometry_camera",
        default_value="",
        description="The camera that gives the odometry; empty: as in the parameter file (the first).",
    ),
    DeclareLaunchArgument("namespace", default_value="", description="Namespace of the node and its relative topics."),
    DeclareLaunchArgument(
        "params_file",
        default_value=config_file("depth.yaml"),
        description="Parameter file; the other arguments override it. Settings of a single camera stand there, "
        "under its name.",
    ),
    DeclareLaunchArgument(
        "checkpoint",
        default_value="",
        description="Weights: a .safetensors file, a folder in monodepth2's format, or a name of `monodepth download`; "
        "empty: as in the parameter file (the bundled demonstration checkpoint, with a warning).",
    ),
    DeclareLaunchArgument(
        "scale_source",
        default_value="",
        description="Source of the metric scale: auto, camera_height, odometry, stereo, checkpoint, fixed or relative "
        "(network units); empty: as in the parameter file.",
    ),
    DeclareLaunchArgument(
        "device",
        default_value="",
        description="Device of the networks: auto, cpu, cuda or cuda:N; empty: as in the parameter file.",
    ),
    DeclareLaunchArgument(
        "rviz",
        default_value="false",
        description="Open RViz with config/depth.rviz for the first camera (true or false).",
    ),
    DeclareLaunchArgument(
        "fixed_frame",
        default_value="odom",
        description="Fixed frame of RViz; without odometry, give a camera's optical frame.",
    ),
    DeclareLaunchArgument(
        "use_sim_time",
        default_value="",
        description="true or false: use /clock; empty: as in the parameter file (false).",
    ),
    DeclareLaunchArgument(
        "autostart",
        default_value="",
        description="true: configure and activate the node at start; false: leave that to a lifecycle manager; "
        "empty: as in the parameter file (true).",
    ),
    DeclareLaunchArgument(
        "log_level",
        default_value="info",
        description="Log level of the node: debug, info, warn, error or fatal.",
    ),
]


def camera_names(given: dict[str, str]) -> list[str]:
    """The names in the argument `cameras`, else those of the parameter file; ValueError if there are none."""
    names = [name.strip() for name in given["cameras"].split(",") if name.strip()]
    path = existing_path("params_file", given["params_file"])
    if not names and path:
        names = [name for name in read_ros_parameters(path).get("cameras") or [] if name]
    if not names:
        raise ValueError(
            "cameras:= is empty: give e.g. cameras:=front,left,right, or set cameras in the parameter file"
        )
    return names


def topic_of(camera: str, argument: str, pattern: str, cameras: list[str]) -> str:
    """A camera's topic by the pattern; ValueError if all cameras would get the same topic."""
    if len(cameras) > 1 and "{camera}" not in pattern:
        raise ValueError(f"{argument}:={pattern}: write {{camera}} where the camera's name belongs")
    return pattern.replace("{camera}", camera)


def nodes(context: LaunchContext) -> list[Node]:
    """The nodes for the arguments; ValueError or FileNotFoundError for an invalid argument."""
    given = {argument.name: LaunchConfiguration(argument.name).perform(context) for argument in ARGUMENTS}
    if given["image_topic"].endswith("/compressed"):
        raise ValueError(
            f"image_topic:={given['image_topic']}: leave /compressed away; image_transport:=compressed insists on it"
        )
    cameras = camera_names(given)
    remappings = [
        (f"{camera}/{name}", topic_of(camera, argument, given[argument], cameras))
        for camera in cameras
        for name, argument in (("image", "image_topic"), ("camera_info", "info_topic"))
        if given[argument]
    ]
    # launch would write a bare list as Python text, which is not valid YAML.
    parameters = {"cameras": ParameterValue(cameras, value_type=list[str])}
    if given["odometry_camera"]:
        parameters["odometry.camera"] = given["odometry_camera"]
    found = [depth_node(given, remappings, parameters)]
    if boolean("rviz", given["rviz"]):
        found.append(rviz_node(given, [(topic, f"{cameras[0]}/{topic}") for topic in SHOWN_TOPICS]))
    return found


def generate_launch_description() -> LaunchDescription:
    """The entry point of `ros2 launch`."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=nodes)])
