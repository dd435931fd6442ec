# SPDX-License-Identifier: Apache-2.0
"""Launch the depth node, and optionally the player of a recording and RViz.

ros2 launch monodepth_ros depth.launch.py image:=/camera/image_raw checkpoint:=/path/to/weights
ros2 launch monodepth_ros depth.launch.py -s          (explains every argument)

Without a checkpoint the bundled demonstration checkpoint runs.
"""

from launch.actions import DeclareLaunchArgument, EmitEvent, OpaqueFunction
from launch.events import matches_action
from launch.events.process import ShutdownProcess
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription
from monodepth_ros.ros.launching import (
    boolean,
    camera_pose_node,
    config_file,
    depth_node,
    player_node,
    rviz_node,
)

ARGUMENTS = [
    DeclareLaunchArgument("namespace", default_value="", description="Namespace of the node and its relative topics."),
    DeclareLaunchArgument(
        "params_file",
        default_value=config_file("depth.yaml"),
        description="Parameter file; the other arguments override it.",
    ),
    DeclareLaunchArgument(
        "image",
        default_value="image",
        description="Image topic without /compressed, e.g. /camera/image_raw; if not given, the only camera is found.",
    ),
    DeclareLaunchArgument(
        "image_transport",
        default_value="",
        description="Transport of the images: raw, compressed or auto (raw, unless only compressed images are "
        "published); empty: as in the parameter file (auto).",
    ),
    DeclareLaunchArgument(
        "camera_info",
        default_value="",
        description="Calibration topic; empty: the camera_info beside the image topic.",
    ),
    DeclareLaunchArgument(
        "calibration_file",
        default_value="",
        description="Calibration in camera_calibration's YAML format, instead of camera_info; empty: as in the "
        "parameter file.",
    ),
    DeclareLaunchArgument(
        "rectified",
        default_value="",
        description="true or false: the images are rectified already (image_rect topics); empty: as in the parameter "
        "file (false).",
    ),
    DeclareLaunchArgument(
        "camera_pose",
        default_value="",
        description="Pose of the camera on the robot, for robots without URDF: x,y,z,roll,pitch,yaw [m, rad] of its "
        "body (x ahead, y left, z up) in base_frame (base_link if that is auto); published on /tf_static. Empty: none.",
    ),
    DeclareLaunchArgument(
        "base_frame",
        default_value="",
        description="Moving frame of the odometry: auto (the root of the frames that carry the camera) or a name such "
        "as base_link; empty: as in the parameter file (auto).",
    ),
    DeclareLaunchArgument(
        "odom_frame",
        default_value="",
        description="Fixed frame of the odometry; empty: as in the parameter file (odom).",
    ),
    DeclareLaunchArgument(
        "publish_tf",
        default_value="",
        description="true or false: publish odom_frame -> base_frame on /tf; empty: as in the parameter file (true).",
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
        "camera_height",
        default_value="",
        description="Height of the camera above the ground in metres, for the metric scale; empty: as in the "
        "parameter file.",
    ),
    DeclareLaunchArgument(
        "scale_odometry",
        default_value="",
        description="Topic of the robot's own odometry or velocity, for the metric scale; empty: as in the parameter "
        "file.",
    ),
    DeclareLaunchArgument(
        "device",
        default_value="",
        description="Device of the networks: auto, cpu, cuda or cuda:N; empty: as in the parameter file.",
    ),
    DeclareLaunchArgument(
        "engine",
        default_value="",
        description="Engine of the networks: auto, pytorch, openvino, onnx or torchscript; empty: as in the parameter "
        "file.",
    ),
    DeclareLaunchArgument(
        "bag",
        default_value="",
        description="Recording to play once the node has subscribed (rosbag2 folder, .mcap, .db3 or ROS 1 .bag).",
    ),
    DeclareLaunchArgument(
        "rviz", default_value="false", description="Open RViz with config/depth.rviz (true or false)."
    ),
    DeclareLaunchArgument(
        "fixed_frame",
        default_value="",
        description="Fixed frame of RViz; empty: odom_frame. Without odometry, give the camera's optical frame.",
    ),
    DeclareLaunchArgument(
        "use_sim_time",
        default_value="",
        description="true or false: use /clock, which the player of `bag` then publishes; "
        "empty: as in the parameter file (false).",
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


def nodes(context: LaunchContext) -> list[Node]:
    """The nodes for the arguments; ValueError or FileNotFoundError for an invalid argument."""
    given = {argument.name: LaunchConfiguration(argument.name).perform(context) for argument in ARGUMENTS}
    image = given["image"]
    if image.endswith("/compressed"):
        raise ValueError(f"image:={image}: leave /compressed away; image_transport:=compressed insists on it")
    remappings = [(name, given[name]) for name in ("image", "camera_info") if given[name]]
    player = player_node(given, subscribers=1)
    # The player is of no use without the node.
    on_exit = player and EmitEvent(event=ShutdownProcess(process_matcher=matches_action(player)))
    poses = [given["camera_pose"]] if given["camera_pose"] else []
    others = [player, camera_pose_node(given, poses), rviz_node(given) if boolean("rviz", given["rviz"]) else None]
    return [depth_node(given, remappings, on_exit=on_exit), *(node for node in others if node is not None)]


def generate_launch_description() -> LaunchDescription:
    """The entry point of `ros2 launch`."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=nodes)])
