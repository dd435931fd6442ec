# SPDX-License-Identifier: Apache-2.0
"""Options that choose what to read from a recording."""

import argparse
import math
import shlex
import sys
from pathlib import Path

from monodepth_ros.cli.argument_types import count, field_of_view, not_negative, positive
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import FrameSource, SourceChoiceError, SourceError, SourceOptions


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the group 'what to read', for `source_options`."""
    where = parser.add_argument_group("what to read")
    where.add_argument("--topic", default="", help="image topic of a bag that has several")
    where.add_argument("--camera-info", default="", metavar="TOPIC", help="calibration topic, if not beside the image")
    where.add_argument(
        "--camera", default="", metavar="NAME", help="camera of a KITTI folder: left (default), right, image_2"
    )
    where.add_argument("--calibration", default="", metavar="FILE", help="calibration file of camera_calibration")
    where.add_argument(
        "--field-of-view",
        type=field_of_view,
        default=0.0,
        metavar="DEG",
        help="horizontal field of view of a camera without calibration (default: from EXIF data, or a guess)",
    )
    where.add_argument("--rectified", action="store_true", help="take the images as rectified")
    where.add_argument(
        "--rate", type=positive, default=0.0, metavar="HZ", help="rate of images without times (default 10)"
    )
    where.add_argument("--start", type=not_negative, default=0.0, metavar="S", help="skip S seconds")
    where.add_argument("--duration", type=positive, default=math.inf, metavar="S", help="read S seconds")
    where.add_argument("--frames", type=count, default=0, metavar="N", help="end after N frames")


def source_options(options: argparse.Namespace) -> SourceOptions:
    """The source options that a user asked for; --frames is left to the caller."""
    return SourceOptions(
        topic=options.topic,
        camera_info=options.camera_info,
        camera=options.camera,
        calibration_file=options.calibration,
        rectified=options.rectified,
        field_of_view=options.field_of_view,
        rate=options.rate,
        start=options.start,
        duration=options.duration,
    )


def open_recording(path: str, options: argparse.Namespace) -> FrameSource:
    """Open the frame source at a path. Raises SourceError, also for a live camera, which has no ground truth."""
    if path.isascii() and path.isdigit() and not Path(path).exists():
        raise SourceError(f"a live camera ({path}) has no ground truth: give a recording that has some")
    return open_source(path, source_options(options))


def print_choices(error: SourceChoiceError, options: argparse.Namespace) -> None:
    """Print what has to be chosen, then one command line per choice, ready to paste."""
    print(f"monodepth {options.verb}: {error}", file=sys.stderr)
    for choice in error.choices:
        print("  " + shlex.join(["monodepth", *options.arguments, *choice]), file=sys.stderr)
