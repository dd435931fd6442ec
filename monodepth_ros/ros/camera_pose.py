# SPDX-License-Identifier: Apache-2.0
"""`ros2 run monodepth_ros camera_pose 0.2,0,0.9,0,0,0`: the place of a camera on a robot without URDF."""

import argparse
import re
import sys

from monodepth_ros.errors import MonodepthError
from monodepth_ros.pipeline.robot_inputs.camera_pose import FORM, parse_pose
from monodepth_ros.ros.end_request import EndRequest


def main(arguments: list[str] | None = None) -> int:
    """Publish the poses until SIGINT or SIGTERM (exit code 0); 2 with one line for bad input."""
    end = EndRequest()
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        # Imports rclpy, which takes a second: signals must be handled before. And ROS may be missing.
        from rclpy.utilities import remove_ros_args  # noqa: PLC0415

        from monodepth_ros.ros.camera_placement import place_cameras  # noqa: PLC0415
    except ImportError as error:
        print(f"camera_pose: ROS 2 is not in this environment ({error}): source its set-up first", file=sys.stderr)
        return 2
    end.begin()
    try:
        # A pose that begins with a minus sign would be taken for an option.
        words = [f"={word}" if re.match(r"-[\d.]", word) else word for word in remove_ros_args(arguments)]
        given = build_parser().parse_args(words)
        place_cameras(given.base, [parse_pose(text) for text in given.poses], arguments, end)
    except MonodepthError as error:
        print(f"camera_pose: {error}", file=sys.stderr)
        return 2
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The command line of `camera_pose`."""
    parser = argparse.ArgumentParser(
        prog="camera_pose",
        description="Publish the poses of cameras on the robot on /tf_static. The frame of a camera's images is read "
        "from depth/camera_info of the running depth_node; if the camera's driver publishes frames of its own, their "
        "root is placed.",
    )
    parser.add_argument(
        "poses",
        nargs="+",
        metavar="[CAMERA=]POSE",
        help=f"{FORM} of the camera's body (x ahead, y left, z up) in the base, angles as in URDF; with several "
        "cameras, each with its name in front",
    )
    parser.add_argument("--base", default="base_link", help="frame that the poses are given in (default base_link)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
