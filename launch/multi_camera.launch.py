# SPDX-License-Identifier: Apache-2.0
"""Launch one depth node for several cameras, with one process and one network.

ros2 launch monodepth_ros multi_camera.launch.py cameras:=front,left,right checkpoint:=/path/to/weights
ros2 launch monodepth_ros multi_camera.launch.py -s          (explains every argument)

Without a checkpoint the bundled demonstration checkpoint runs.
"""

from launch.actions import EmitEvent, OpaqueFunction
from launch.events import matches_action
from launch.events.process import ShutdownProcess
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchContext, LaunchDescription
from monodepth_ros.pipeline.robot_inputs.camera_pose import parse_pose
from monodepth_ros.ros.launch_arguments import SHARED_ARGUMENTS, Argument
from monodepth_ros.ros.launching import (
    boolean,
    camera_pose_node,
    declare,
    depth_node,
    existing_path,
    player_node,
    rviz_node,
    warn_of_unknown,
)
from monodepth_ros.settings.files import read_ros_parameters

# The camera topics that RViz shows.
SHOWN_TOPICS = ("rgb/image_rect", "depth/color", "depth/points")

ARGUMENTS = declare(
    {
        "cameras": Argument(
            "Names of the cameras, separated by commas, e.g. front,left,right; empty: those of the parameter file.",
        ),
        "image_topic": Argument(
            "Pattern of the cameras' image topics, without /compressed; {camera} stands for the name.",
            "{camera}/image_raw",
        ),
        "info_topic": Argument(
            "Pattern of the cameras' calibration topics; {camera} stands for the name; empty: the camera_info beside "
            "each image topic.",
        ),
        "calibration_file": Argument(
            "Pattern of the cameras' calibration files (of ROS, OpenCV, Kalibr or another tool; FILE#{camera} for one "
            "file of all), instead of camera_info; {camera} stands for the name; empty: as in the parameter file.",
        ),
        "camera_pose": Argument(
            "Poses of cameras on the robot, for robots without URDF: front=x,y,z,roll,pitch,yaw;left=... [m, rad] of "
            "their bodies (x ahead, y left, z up) in base_frame (base_link if that is auto); published on /tf_static. "
            "Empty: none.",
        ),
        "odometry_camera": Argument("The camera that gives the odometry; empty: as in the parameter file (the first)."),
        **SHARED_ARGUMENTS,
    }
)


def camera_names(given: dict[str, str]) -> list[str]:
    """The names in the argument `cameras`, else those of the parameter file; ValueError if there are none."""
    names = [name.strip() for name in given["cameras"].split(",") if name.strip()]
    path = existing_path("params_file", given["params_file"])
    if not names and path:
        stated = read_ros_parameters(path).get("cameras")
        names = [name for name in stated if isinstance(name, str) and name] if isinstance(stated, list) else []
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


def calibration_files(pattern: str, cameras: list[str]) -> dict[str, ParameterValue]:
    """The parameters of the cameras' calibration files; FileNotFoundError for a file that does not exist."""
    paths = {camera: topic_of(camera, "calibration_file", pattern, cameras) for camera in cameras if pattern}
    return {
        f"{camera}.calibration_file": ParameterValue(existing_path("calibration_file", path), value_type=str)
        for camera, path in paths.items()
    }


def poses(text: str, cameras: list[str]) -> list[str]:
    """The poses in the argument `camera_pose`; ValueError for one of a camera that is not among `cameras`."""
    found = [pose.strip() for pose in text.split(";") if pose.strip()]
    for pose in found:
        if parse_pose(pose).camera not in cameras:
            raise ValueError(
                f"camera_pose:={text}: expected the name of a camera before each pose, e.g. {cameras[0]}=0.2,0,1,0,0,0 "
                "and a semicolon between two"
            )
    return found


def nodes(context: LaunchContext) -> list[Node]:
    """The nodes for the arguments; ValueError or FileNotFoundError for an invalid argument."""
    warn_of_unknown(context, ARGUMENTS)
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
    parameters |= calibration_files(given.pop("calibration_file"), cameras)
    player = player_node(given, subscribers=len(cameras))
    # The player is of no use without the node.
    on_exit = player and EmitEvent(event=ShutdownProcess(process_matcher=matches_action(player)))
    others = [player, camera_pose_node(given, poses(given["camera_pose"], cameras))]
    if boolean("rviz", given["rviz"]):
        others.append(rviz_node(given, [(topic, f"{cameras[0]}/{topic}") for topic in SHOWN_TOPICS]))
    return [depth_node(given, remappings, parameters, on_exit), *(node for node in others if node is not None)]


def generate_launch_description() -> LaunchDescription:
    """The entry point of `ros2 launch`."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=nodes)])
