# SPDX-License-Identifier: Apache-2.0
"""`ros2 run monodepth_ros play <bag>`: plays a recording of any format, on machines without rosbag2 too."""

import argparse
import math
import signal
import sys
import threading
from types import FrameType

from monodepth_ros.cli.argument_types import not_negative, positive
from monodepth_ros.errors import MonodepthError

DEFAULT_CLOCK_RATE = 40.0  # hertz, as `ros2 bag play --clock`


def main(arguments: list[str] | None = None) -> int:
    """Play one recording; 0 at its end and after SIGINT or SIGTERM, 2 with one line for bad input."""
    stop = threading.Event()

    def request_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    # Before rclpy is imported: that takes longest, and an interrupt during it must end cleanly as well.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, request_stop)
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        from monodepth_ros.ros.bag_player import BagPlayer, PlaybackOptions, split_ros_arguments, start_ros
    except ImportError as error:
        print(f"play: ROS 2 is not in this environment ({error}): source its set-up first", file=sys.stderr)
        return 2
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
        with start_ros(ros_arguments), BagPlayer(given.bag, options, stop) as player:
            player.play()
    except MonodepthError as error:
        print(f"play: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    return 0


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="play",
        description="Publish a recording's messages at their recorded times, stamps and bytes unchanged. "
        "ROS arguments (--ros-args -r old:=new) work as for every node.",
    )
    parser.add_argument("bag", help="rosbag2 folder, .mcap or .db3 file, or ROS 1 .bag")
    parser.add_argument("--rate", type=positive, default=1.0, metavar="R", help="speed (default 1)")
    parser.add_argument("--loop", action="store_true", help="start again at the end; stamps repeat")
    parser.add_argument(
        "--clock",
        type=positive,
        nargs="?",
        const=DEFAULT_CLOCK_RATE,
        metavar="HZ",
        help=f"publish /clock HZ times a second (default {DEFAULT_CLOCK_RATE:g})",
    )
    parser.add_argument("--start-offset", type=not_negative, default=0.0, metavar="S", help="skip S seconds")
    parser.add_argument("--duration", type=positive, default=math.inf, metavar="S", help="play S seconds of it")
    parser.add_argument("--topics", nargs="+", metavar="T", help="only these topics")
    parser.add_argument("--remap", nargs="+", metavar="OLD:=NEW", help="publish under other names")
    parser.add_argument(
        "--qos",
        choices=("reliable", "sensor_data"),
        default="reliable",
        help="what the publishers offer; sensor_data is best effort (default reliable)",
    )
    parser.add_argument(
        "--wait-subscribers",
        type=int,
        default=0,
        metavar="N",
        help="begin when the played topics have N subscriptions, so that none misses the first messages",
    )
    parser.add_argument(
        "--wait-timeout",
        type=positive,
        default=math.inf,
        metavar="S",
        help="give up waiting for subscribers after S seconds (default: never)",
    )
    parser.add_argument("--delay", type=not_negative, default=0.0, metavar="S", help="then wait S seconds more")
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
    return topic if topic.startswith("/") else f"/{topic}"


if __name__ == "__main__":
    sys.exit(main())
