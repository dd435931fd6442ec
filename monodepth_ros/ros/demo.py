# SPDX-License-Identifier: Apache-2.0
"""The demonstration: a recording played to the real node over DDS, with a client that listens to all its outputs."""

import argparse
import os
import random
import sys

from monodepth_ros.cli.argument_types import count, positive
from monodepth_ros.errors import MonodepthError
from monodepth_ros.ros.end_request import treat_sigterm_as_interrupt

INTERRUPTED = 130  # the exit code that a shell gives for control-C


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line of `scripts/demo`."""
    parser = argparse.ArgumentParser(
        prog="demo",
        description="Play a recording to the depth node over DDS in real time, listen to all its outputs from another "
        "process, and leave a table and a picture sheet.",
    )
    parser.add_argument("bag", nargs="?", default="", help="recording (default: a synthetic drive, made once)")
    parser.add_argument("--checkpoint", default="", help="weights (default: the bundled demonstration checkpoint)")
    parser.add_argument(
        "--train",
        action="store_true",
        help="first train networks from scratch on the recording (some minutes), and use them",
    )
    parser.add_argument("--train-steps", type=count, default=3000, metavar="N", help="steps of --train (default 3000)")
    parser.add_argument("--topic", default="", help="image topic, if the recording has several")
    parser.add_argument("--camera-info", default="", help="calibration topic, if it is not beside the image topic")
    parser.add_argument("--rate", type=positive, default=1.0, help="speed of the playback (default 1: real time)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--resolution", choices=("network", "image"), default="network", help="size of the depth image")
    parser.add_argument("--results", default="results", help="folder of the results (default: results)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the demonstration; 0 if every expected output came, 2 for bad input, 1 if something did not work."""
    options = parse(arguments)
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    # A domain of its own: a camera that runs on this machine must not join in.
    os.environ["ROS_DOMAIN_ID"] = str(random.SystemRandom().randint(60, 99))
    treat_sigterm_as_interrupt()
    try:
        # Imports torch and rclpy: not for --help and a wrong option.
        from monodepth_ros.ros.demonstration.run import run  # noqa: PLC0415

        return run(options)
    except MonodepthError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
