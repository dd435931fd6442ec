# SPDX-License-Identifier: Apache-2.0
"""Options that choose what to read from recordings: declared once, for every verb that reads some."""

import argparse
import math
import shlex
import sys
from typing import Any

from monodepth_ros.cli.argument_types import count, encoding, field_of_view, intensity_range, not_negative, positive
from monodepth_ros.data.sources.image_files import is_image, is_pattern, matches, whole_folder
from monodepth_ros.data.sources.open_source import Place, is_live, open_source
from monodepth_ros.data.sources.source import FrameSource, SourceChoiceError, SourceError, SourceOptions
from monodepth_ros.foreign_text import safe_line
from monodepth_ros.limits import LONGEST_MESSAGE, MOST_LISTED

RECORDINGS = (
    "bags (rosbag2, ROS 1), folders of images, images, patterns such as 'images/*.png', folders of data sets (KITTI,"
    " TUM RGB-D, EuRoC, TUM VI, nuScenes, PandaSet), videos"
)
SOURCE = f"{RECORDINGS}; or a live source: a camera (0, /dev/video0), a stream (rtsp://, http://)"


def add_source_arguments(parser: argparse.ArgumentParser, with_frames: bool = True) -> None:
    """Add the group 'what to read', for `source_options` or `source_settings`.

    With several recordings the options apply to each. with_frames: whether the verb can end after --frames.
    """
    where = parser.add_argument_group("what to read")
    where.add_argument("--topic", default="", help="image topic of a bag that has several")
    where.add_argument("--camera-info", default="", metavar="TOPIC", help="calibration topic, if not beside the image")
    where.add_argument(
        "--camera",
        default="",
        metavar="NAME",
        help="camera of a folder with several: left (default), right, image_2, cam1, CAM_BACK",
    )
    where.add_argument(
        "--calibration", default="", metavar="FILE", help="calibration file (FILE#NAME: one camera of several)"
    )
    where.add_argument(
        "--depth-topic",
        default="",
        metavar="TOPIC",
        help="reference depth of a bag: images or a LiDAR's cloud; or none",
    )
    where.add_argument(
        "--odometry-topic", default="", metavar="TOPIC", help="reference poses of a bag: odometry, poses, path; or none"
    )
    where.add_argument(
        "--field-of-view",
        type=field_of_view,
        default=0.0,
        metavar="DEG",
        help="horizontal field of view of a camera without calibration (default: from EXIF data, or a guess)",
    )
    where.add_argument(
        "--encoding",
        type=encoding,
        default="",
        metavar="NAME",
        help="what the bytes of a bag's images are, such as yuv422_yuy2 or bayer_rggb8, whatever its messages say",
    )
    where.add_argument(
        "--intensity-range",
        type=intensity_range,
        default="",
        metavar="LOW:HIGH",
        help="values of a bag's 16-bit images that become black and white (default: by the bits in use)",
    )
    _add_rectification(where)
    where.add_argument(
        "--rate",
        type=positive,
        default=0.0,
        metavar="HZ",
        help="rate of images, instead of their times (10 where they have none)",
    )
    where.add_argument("--start", type=not_negative, default=0.0, metavar="S", help="skip S seconds")
    where.add_argument("--duration", type=positive, default=math.inf, metavar="S", help="read S seconds")
    where.add_argument("--every", type=count, default=1, metavar="N", help="read every N-th image (default: all)")
    if with_frames:
        where.add_argument("--frames", type=count, default=0, metavar="N", help="end after N frames")


def _add_rectification(where: argparse._ArgumentGroup) -> None:
    taken = where.add_mutually_exclusive_group()
    taken.add_argument("--rectified", action="store_true", help="take the images as rectified")
    taken.add_argument(
        "--unrectified", action="store_true", help="take them as not rectified, whatever the topic's name says"
    )


def source_options(options: argparse.Namespace) -> SourceOptions:
    """The source options that a user asked for; --frames is left to the caller."""
    return SourceOptions(
        topic=options.topic,
        camera_info=options.camera_info,
        camera=options.camera,
        depth_topic=options.depth_topic,
        odometry_topic=options.odometry_topic,
        calibration_file=options.calibration,
        rectified=options.rectified,
        unrectified=options.unrectified,
        field_of_view=options.field_of_view,
        encoding=options.encoding,
        intensity_range=options.intensity_range,
        rate=options.rate,
        start=options.start,
        duration=options.duration,
        every=options.every,
    )


def source_settings(options: argparse.Namespace) -> dict[str, Any]:
    """The same options as settings of a training, by name: those that were given."""
    settings = {
        "data.topic": options.topic,
        "data.camera_info": options.camera_info,
        "data.camera": options.camera,
        "data.depth_topic": options.depth_topic,
        "data.odometry_topic": options.odometry_topic,
        "data.calibration_file": options.calibration,
        "data.rectified": options.rectified,
        "data.unrectified": options.unrectified,
        "data.field_of_view": options.field_of_view,
        "data.encoding": options.encoding,
        "data.intensity_range": options.intensity_range,
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
    raise SourceError(
        f"{options.verb} reads one recording, or several images: {shlex.join(others[-1:])} is one more (the files of a"
        " split recording are read as one by their folder)"
    )


def several_recordings(words: list[str]) -> list[str]:
    """The recordings of a training, each once.

    A pattern of images is one recording, a pattern of bags or films is one for each match. Image files are their
    folder, which the shell has expanded from folder/*.png. Raises SourceError for single images of a folder, for a
    pattern without a match, and for a live source.
    """
    recordings: list[str] = []
    for word in words:
        if is_live(word):
            raise SourceError(f"{word} is live and can be read only once: record it and give the recording")
        found = [word]
        if is_pattern(word):
            paths = [str(path) for path in matches(word)]
            found = found if any(map(is_image, paths)) else paths
        elif is_image(word):
            found = [whole_folder(word, words)]
        recordings += [path for path in found if path not in recordings]
    return recordings


def open_recording(path: str, options: argparse.Namespace) -> FrameSource:
    """Open the frame source at a path. Raises SourceError, also for a live source, which has no ground truth."""
    if is_live(path):
        raise SourceError(f"a live source ({path}) has no ground truth: give a recording that has some")
    return open_source(path, source_options(options))


def print_choices(error: SourceChoiceError, options: argparse.Namespace) -> None:
    """Print what has to be chosen, then one command line per choice, ready to paste."""
    print(f"monodepth {options.verb}: {error}", file=sys.stderr)
    for choice in error.choices[:MOST_LISTED]:
        line = shlex.join(["monodepth", *options.arguments, *choice])
        print(
            "  " + (line if line.isprintable() and len(line) <= LONGEST_MESSAGE else safe_line(line)), file=sys.stderr
        )
    if len(error.choices) > MOST_LISTED:
        print(f"  and {len(error.choices) - MOST_LISTED} more", file=sys.stderr)
