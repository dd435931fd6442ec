# SPDX-License-Identifier: Apache-2.0
"""Launch the depth node, and optionally the player of a recording and RViz.

ros2 launch monodepth_ros depth.launch.py image:=/camera/image_raw checkpoint:=/path/to/weights
ros2 launch monodepth_ros depth.launch.py -s          (explains every argument)

Without a checkpoint the bundled demonstration checkpoint runs.
"""

from launch.actions import EmitEvent, OpaqueFunction
from launch.events import matches_action
from launch.events.process import ShutdownProcess
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription
from monodepth_ros.ros.launch_arguments import SHARED_ARGUMENTS, Argument
from monodepth_ros.ros.launching import (
    boolean,
    camera_pose_node,
    declare,
    depth_node,
    player_node,
    rviz_node,
    warn_of_unknown,
)

ARGUMENTS = declare(
    {
        "image": Argument(
            "Image topic without /compressed, e.g. /camera/image_raw; if not given, the only camera is found.", "image"
        ),
        "camera_info": Argument("Calibration topic; empty: the camera_info beside the image topic."),
        "calibration_file": Argument(
            "Calibration file of ROS, OpenCV, Kalibr or another tool, instead of camera_info; FILE#NAME for one camera "
            "of several; empty: as in the parameter file.",
        ),
        "camera_pose": Argument(
            "Pose of the camera on the robot, for robots without URDF: x,y,z,roll,pitch,yaw [m, rad] of its body "
            "(x ahead, y left, z up) in base_frame (base_link if that is auto); published on /tf_static. Empty: none.",
        ),
        **SHARED_ARGUMENTS,
    }
)


def nodes(context: LaunchContext) -> list[Node]:
    """The nodes for the arguments; ValueError or FileNotFoundError for an invalid argument."""
    warn_of_unknown(context, ARGUMENTS)
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
