# SPDX-License-Identifier: Apache-2.0
"""`scripts/bench loss`: images that arrive from another process, with and without the remedies for lost ones."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from bench.errors import BenchError
from monodepth_ros.config_files import config_file
from monodepth_ros.ros.image_arrivals import ImageStream, arrivals
from monodepth_ros.ros.middleware_profile import FILE, VARIABLES

# Variables of this process's ROS that another Python's ROS must not inherit.
OWN_ROS = ("LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONSAFEPATH", "AMENT_PREFIX_PATH", "_ROS_WHEELS_BOOTSTRAP_COMPLETE")


def main(arguments: list[str]) -> int:
    """Measure one line per remedy. Each runs in processes of its own, because Fast DDS reads its profile once."""
    parser = argparse.ArgumentParser(prog="scripts/bench loss", description=__doc__)
    parser.add_argument("--size", type=int, nargs=2, default=(1920, 1080), metavar=("W", "H"))
    parser.add_argument("--count", type=int, default=150, help="images (default: 150)")
    parser.add_argument("--rate", type=float, default=30.0, help="images per second (default: 30)")
    parser.add_argument(
        "--sender", default="", metavar="PYTHON", help="Python of the sender, e.g. of another ROS 2 distribution"
    )
    parser.add_argument("--receive", default="", choices=("best_effort", "reliable"), help=argparse.SUPPRESS)
    parser.add_argument("--profile", default="", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.receive:
        return _receive(options)
    print(f"{options.count} images of {options.size[0]}x{options.size[1]} (rgb8) at {options.rate:g} Hz")
    profile = str(config_file(FILE))
    for reliability, of_sender, of_receiver in (
        ("best_effort", "", ""),
        ("reliable", "", ""),
        ("best_effort", profile, ""),
        ("best_effort", profile, profile),
    ):
        own = [sys.executable, "-m", "bench", "loss", *arguments, "--receive", reliability, "--profile", of_sender]
        environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        environment |= dict.fromkeys(VARIABLES, of_receiver) if of_receiver else {}
        result = subprocess.run(own, env=environment, capture_output=True, text=True)
        if result.returncode:
            raise BenchError(f"the receiver ended with {result.returncode}: {result.stderr.strip()}")
        who = "both sides" if of_receiver else ("the sender" if of_sender else "nobody")
        print(f"{reliability:12s} profile: {who:11s} {result.stdout.strip()}", flush=True)
    return 0


def _receive(options: argparse.Namespace) -> int:
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    if options.profile:
        environment |= dict.fromkeys(VARIABLES, options.profile)
    if options.sender:
        environment = {name: value for name, value in environment.items() if name not in OWN_ROS}
        environment["AMENT_PREFIX_PATH"] = str(Path(options.sender).parents[1])
    stream = ImageStream(*options.size, options.count, options.rate)
    arrived, lost = arrivals(
        stream, reliable=options.receive == "reliable", environment=environment, python=options.sender
    )
    print(f"{arrived} of {options.count} arrived, {lost} reported lost")
    return 0
