# SPDX-License-Identifier: Apache-2.0
"""The launch arguments that the launch files share, by name. Does not import launch."""

from typing import NamedTuple

from monodepth_ros.config_files import config_file
from monodepth_ros.inference.config import ENGINES


class Argument(NamedTuple):
    """Description and default of a launch argument."""

    description: str
    default: str = ""


def _overriding(description: str, default: str = "") -> Argument:
    """An argument that overrides a setting of the parameter file, whose default value is given in words."""
    stated = f" ({default})" if default else ""
    return Argument(f"{description}; empty: as in the parameter file{stated}.")


SHARED_ARGUMENTS = {
    "namespace": Argument("Namespace of the node and its relative topics."),
    "params_file": Argument(
        "Parameter file; the other arguments override it. Settings of one of several cameras stand there, under its "
        "name.",
        str(config_file("depth.yaml")),
    ),
    "image_transport": _overriding(
        "Transport of the images: raw, compressed or auto (raw, unless only compressed images are published)",
        "auto",
    ),
    "rectified": _overriding("true or false: the images are rectified already (image_rect topics)", "false"),
    "base_frame": _overriding(
        "Moving frame of the odometry: auto (the root of the frames that carry the camera) or a name such as base_link",
        "auto",
    ),
    "odom_frame": _overriding("Fixed frame of the odometry", "odom"),
    "publish_tf": _overriding("true or false: publish odom_frame -> base_frame on /tf", "true"),
    "checkpoint": _overriding(
        "Weights: a .safetensors file, a folder in monodepth2's format, or a name of `monodepth download`",
        "the bundled demonstration checkpoint, with a warning",
    ),
    "scale_source": _overriding(
        "Source of the metric scale: auto, camera_height, odometry, stereo, checkpoint, fixed or relative (network "
        "units)",
    ),
    "camera_height": _overriding("Height of the odometry's camera above the ground in metres, for the metric scale"),
    "scale_odometry": _overriding("Topic of the robot's own odometry or velocity, for the metric scale"),
    "device": _overriding("Device of the networks: auto, cpu, cuda or cuda:N"),
    "engine": _overriding(f"Engine of the networks: {', '.join(ENGINES)}"),
    "bag": Argument("Recording to play once the node has subscribed (rosbag2 folder, .mcap, .db3 or ROS 1 .bag)."),
    "rviz": Argument("Open RViz with config/depth.rviz, of several cameras for the first (true or false).", "false"),
    "fixed_frame": Argument("Fixed frame of RViz; empty: odom_frame. Without odometry, give a camera's optical frame."),
    "use_sim_time": _overriding("true or false: use /clock, which the player of `bag` then publishes", "false"),
    "autostart": _overriding(
        "true: configure and activate the node at start; false: leave that to a lifecycle manager",
        "true",
    ),
    "log_level": Argument("Log level of the node: debug, info, warn, error or fatal.", "info"),
}
