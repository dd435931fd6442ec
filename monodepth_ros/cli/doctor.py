# SPDX-License-Identifier: Apache-2.0
"""`monodepth doctor`: what this machine has, what is wrong with it, and what to do; the page of a bug report."""

import argparse
import json
import os
import time
from collections.abc import Iterator

from monodepth_ros.cli.network_arguments import add_checkpoint_argument, chosen_checkpoint
from monodepth_ros.doctor.check import Check, Level, guarded, without_home
from monodepth_ros.doctor.engines import engine_checks
from monodepth_ros.doctor.machine import machine_checks
from monodepth_ros.doctor.packages import package_checks
from monodepth_ros.doctor.ros_environment import ros_checks
from monodepth_ros.doctor.storage import storage_checks

SOMETHING_FAILED = 1
COLORS = {Level.OK: "32", Level.NOTE: "36", Level.WARNING: "33", Level.ERROR: "31"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.description = (
        "Examine this machine: packages, processor, memory, engines, caches, disk, permissions, ROS 2 and its "
        "middleware. One line each, with the remedy. Paste the output into a bug report: your home folder's name is "
        "left out. The exit code is 1 if something does not work."
    )
    add_checkpoint_argument(parser)
    parser.add_argument("--json", action="store_true", help="print a JSON list of the checks instead of lines")
    parser.add_argument(
        "--no-images", action="store_true", help="send no images between two processes (saves about five seconds)"
    )


def run(options: argparse.Namespace) -> int:
    """Print each check as soon as it is made."""
    counts = dict.fromkeys(Level, 0)
    rows = []
    for check in checks(options):
        counts[check.level] += 1
        if options.json:
            rows.append({name: without_home(str(value)) for name, value in check._asdict().items()})
            rows[-1]["level"] = check.level.value
        else:
            print(_colored(check), flush=True)
    if options.json:
        print(json.dumps(rows, indent=2))
    else:
        print(_summary(counts))
    return SOMETHING_FAILED if counts[Level.ERROR] else 0


def checks(options: argparse.Namespace) -> Iterator[Check]:
    """All checks; a part that fails to run is a line of its own."""
    yield from guarded("machine", machine_checks())
    yield from guarded("packages", package_checks())
    yield from guarded("storage", storage_checks())
    yield from guarded("engine", engine_checks(chosen_checkpoint(options)))
    yield from guarded("ros", ros_checks(images=not options.no_images))


def _colored(check: Check) -> str:
    level = check.level.value
    if not os.isatty(1) or os.environ.get("NO_COLOR"):
        return check.line
    return check.line.replace(level, f"\x1b[{COLORS[check.level]}m{level}\x1b[0m", 1)


def _summary(counts: dict[Level, int]) -> str:
    errors, warnings, notes = (counts[level] for level in (Level.ERROR, Level.WARNING, Level.NOTE))
    date = time.strftime("%Y-%m-%d", time.gmtime())
    if not errors and not warnings:
        return f"everything works ({notes} note(s), {date})"
    return f"{errors} error(s), {warnings} warning(s), {notes} note(s), {date}"
