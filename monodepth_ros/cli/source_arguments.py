# SPDX-License-Identifier: Apache-2.0
"""Options that choose what to read from recordings: declared once, for every verb that reads some."""

import argparse
import math
import shlex
import sys
from typing import Any

from monodepth_ros.cli.argument_types import count, not_negative, positive
from monodepth_ros.data.sources.image_files import is_image, whole_folder
from monodepth_ros.data.sources.open_source import Place, is_live, open_source
from monodepth_ros.data.sources.source import FrameSource, SourceChoiceError, SourceError, SourceOptions

RECORDINGS = "bags (rosbag2, ROS 1), folders of images, images, patterns such as 'images/*.png', KITTI folders, videos"
SOURCE = f"{RECORDINGS}; or a live source: a camera (0, /dev/video0), a stream (rtsp://, http://)"


def add_source_arguments(parser: argparse.ArgumentParser, with_frames: bool = True) -> None:
    """Add the group 'what to read', for `source_options` or `source_settings`.

    With several recordings the options apply to each. with_frames: whether the verb can end after --frames.
    """
    where = parser.add_argument_group("what to read")
    where.add_argument("--topic", default="", help="image topic of a bag that has several")
    where.add_argument("--camera-info", default="", metavar="TOPIC", help="calibration topic, if not beside the image")
    where.add_argument(
        "--camera", default="", metavar="NAME", help="camera of a KITTI folder: left (default), right, image_2"
    )
    where.add_argument("--calibration", default="", metavar="FILE", help="calibration file of camera_calibration")
    where.add_argument("--rectified", action="store_true", help="take the images as rectified")
    where.add_argument(
        "--rate", type=positive, default=0.0, metavar="HZ", help="rate of images without times (default 10)"
    )
    where.add_argument("--start", type=not_negative, default=0.0, metavar="S", help="skip S seconds")
    where.add_argument("--duration", type=positive, default=math.inf, metavar="S", help="read S seconds")
    if with_frames:
        where.add_argument("--frames", type=count, default=0, metavar="N", help="end after N frames")


def source_options(options: argparse.Namespace) -> SourceOptions:
    """The source options that a user asked for; --frames is left to the caller."""
    return SourceOptions(
        topic=options.topic,
        camera_info=options.camera_info,
        camera=options.camera,
        calibration_file=options.calibration,
        rectified=options.rectified,
        rate=options.rate,
        start=options.start,
        duration=options.duration,
    )


def source_settings(options: argparse.Namespace) -> dict[str, Any]:
    """The same options as settings of a training, by name: those that were given."""
    settings = {
        "data.topic": options.topic,
        "data.camera_info": options.camera_info,
        "data.camera": options.camera,
        "data.calibration_file": options.calibration,
        "data.rectified": options.rectified,
        "data.rate": options.rate,
        "data.start": options.start,
        "data.duration": options.duration if math.isfinite(options.duration) else 0.0,
    }
    return {name: value for name, value in settings.items() if value}


def one_source(words: list[str], options: argparse.Namespace) -> Place:
    """What a verb reads that takes one source: a path, or several image files.

    Raises SourceError for several words that are not all image files.
    """
    if len(words) == 1:
        return words[0]
    if all(map(is_image, words)):
        return tuple(words)
    others = [word for word in words if not is_image(word)]
    raise SourceError(f"{options.verb} reads one recording, or several images: {shlex.join(others[-1:])} is one more")


def several_recordings(words: list[str]) -> list[str]:
    """The recordings of a training. Image files are their folder, which the shell has expanded from folder/*.png.

    Raises SourceError for single images of a folder, and for a live source.
    """
    recordings: list[str] = []
    for word in words:
        if is_live(word):
            raise SourceError(f"{word} is live and can be read only once: record it and give the recording")
        path = whole_folder(word, words) if is_image(word) else word
        if path not in recordings:
            recordings.append(path)
    return recordings


def open_recording(path: str, options: argparse.Namespace) -> FrameSource:
    """Open the frame source at a path. Raises SourceError, also for a live source, which has no ground truth."""
    if is_live(path):
        raise SourceError(f"a live source ({path}) has no ground truth: give a recording that has some")
    return open_source(path, source_options(options))


def print_choices(error: SourceChoiceError, options: argparse.Namespace) -> None:
    """Print what has to be chosen, then one command line per choice, ready to paste."""
    print(f"monodepth {options.verb}: {error}", file=sys.stderr)
    for choice in error.choices:
        print("  " + shlex.join(["monodepth", *options.arguments, *choice]), file=sys.stderr)
