# SPDX-License-Identifier: Apache-2.0
"""`ros2 run monodepth_ros play <bag>`: play a recording of any format, with or without rosbag2."""

import argparse
import math
import sys

from monodepth_ros.cli.argument_types import not_negative, positive
from monodepth_ros.errors import MonodepthError
from monodepth_ros.ros.end_request import EndRequest

DEFAULT_CLOCK_RATE = 40.0  # hertz, as `ros2 bag play --clock`


def main(arguments: list[str] | None = None) -> int:
    """Play one recording; 0 at its end and after SIGINT or SIGTERM, 2 with one line for bad input."""
    end = EndRequest()
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        # Imports rclpy, which takes a second: signals must be handled before. And ROS may be missing.
        from monodepth_ros.ros.bag_player import (  # noqa: PLC0415
            BagPlayer,
            PlaybackOptions,
            split_ros_arguments,
            start_ros,
        )
    except ImportError as error:
        print(f"play: ROS 2 is not in this environment ({error}): source its set-up first", file=sys.stderr)
        return 2
    end.begin()
    try:
        own_arguments, ros_arguments = split_ros_arguments(arguments)
        given = build_parser().parse_args(own_arguments)
        options = PlaybackOptions(
            rate=given.rate,
            loop=given.loop,
            clock_rate=given.clock or 0.0,
            start_offset=given.start_offset,
            duration=given.duration,
            topics=tuple(given.topics or ()),
            remappings=parse_remappings(given.remap or []),
            best_effort=given.qos == "sensor_data",
            wait_subscribers=given.wait_subscribers,
            wait_timeout=given.wait_timeout,
            delay=given.delay,
        )
        with start_ros(ros_arguments), BagPlayer(given.bag, options, end) as player:
            player.play()
    except MonodepthError as error:
        print(f"play: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The command line of `play`."""
    parser = argparse.ArgumentParser(
        prog="play",
        description="Publish a recording's messages at their recorded times, stamps and bytes unchanged. "
        "ROS arguments (--ros-args -r old:=new) work as for any node.",
    )
    parser.add_argument("bag", help="rosbag2 folder, .mcap or .db3 file, or ROS 1 .bag")
    parser.add_argument("--rate", type=positive, default=1.0, metavar="R", help="speed (default 1)")
    parser.add_argument("--loop", action="store_true", help="start again at the end, with the same stamps")
    parser.add_argument(
        "--clock",
        type=positive,
        nargs="?",
        const=DEFAULT_CLOCK_RATE,
        metavar="HZ",
        help=f"publish /clock HZ times a second (default {DEFAULT_CLOCK_RATE:g})",
    )
    parser.add_argument("--start-offset", type=not_negative, default=0.0, metavar="S", help="skip S seconds")
    parser.add_argument(
        "--duration", type=positive, default=math.inf, metavar="S", help="play S seconds (default: to the end)"
    )
    parser.add_argument("--topics", nargs="+", metavar="T", help="play only these topics")
    parser.add_argument("--remap", nargs="+", metavar="OLD:=NEW", help="publish OLD under the name NEW")
    parser.add_argument(
        "--qos",
        choices=("reliable", "sensor_data"),
        default="reliable",
        help="QoS of the publishers; sensor_data is best effort (default reliable)",
    )
    parser.add_argument(
        "--wait-subscribers",
        type=int,
        default=0,
        metavar="N",
        help="begin once the played topics, without latched ones, have N subscriptions, so that no subscriber misses "
        "the first messages",
    )
    parser.add_argument(
        "--wait-timeout",
        type=positive,
        default=math.inf,
        metavar="S",
        help="give up waiting for subscribers after S seconds (default: never)",
    )
    parser.add_argument(
        "--delay", type=not_negative, default=0.0, metavar="S", help="wait S seconds more before playing"
    )
    return parser


def parse_remappings(pairs: list[str]) -> dict[str, str]:
    """['/old:=/new'] -> {'/old': '/new'}. Raises MonodepthError for anything else."""
    remappings = {}
    for pair in pairs:
        old, separator, new = pair.partition(":=")
        if not (old and separator and new):
            raise MonodepthError(f"--remap {pair}: expected old:=new")
        remappings[absolute(old)] = absolute(new)
    return remappings


def absolute(topic: str) -> str:
    """The topic name with a leading slash."""
    return topic if topic.startswith("/") else f"/{topic}"


if __name__ == "__main__":
    sys.exit(main())
