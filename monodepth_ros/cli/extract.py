# SPDX-License-Identifier: Apache-2.0
"""`monodepth extract`: a recording as a folder of images in KITTI's layout."""

import argparse
import sys

from monodepth_ros.cli.interrupt import INTERRUPTED, stop_on_interrupt
from monodepth_ros.cli.next_commands import command, next_lines
from monodepth_ros.cli.progress import Progress, stage
from monodepth_ros.cli.result_files import print_facts
from monodepth_ros.cli.source_arguments import RECORDINGS, add_source_arguments, one_source, source_options
from monodepth_ros.errors import MonodepthError
from monodepth_ros.training.extraction.extract import Extraction, ExtractionSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.description = (
        "Write a bag, video or folder in the layout of KITTI's odometry sequences: image_2/ (image_0/ if grey; image_3/"
        " or image_1/ for the right camera of a stereo pair), calibration, times.txt, and the recording's ground-truth"
        " depth and poses. `monodepth train FOLDER` learns from the same samples."
    )
    parser.add_argument("source", nargs="+", metavar="RECORDING", help=RECORDINGS)
    parser.add_argument("--out", required=True, metavar="FOLDER", help="a new or empty folder")
    add_source_arguments(parser)
    what = parser.add_argument_group("what to write")
    what.add_argument(
        "--jpeg",
        type=_quality,
        nargs="?",
        const=95,
        default=0,
        metavar="Q",
        help="JPEG images of quality Q (95) instead of PNG",
    )
    what.add_argument(
        "--as-published", action="store_true", help="images as published, with their D (default: rectified images)"
    )
    what.add_argument("--mono", action="store_true", help="one camera, even of a stereo pair")
    what.add_argument(
        "--stereo-topic", default="", metavar="TOPIC", help="image topic of the right camera, if not found by name"
    )


def run(options: argparse.Namespace) -> int:
    """Write; returns 0, or 130 after control-C (the frames so far can be used).

    Raises MonodepthError for bad input and a full disk.
    """
    settings = ExtractionSettings(
        rectified=not options.as_published,
        jpeg=options.jpeg,
        stereo=not options.mono,
        stereo_topic=options.stereo_topic,
        frames=options.frames,
    )
    place = one_source(options.source, options)
    with stage(f"reading {options.source[0]}"):
        opened = Extraction(place, source_options(options), settings, options.out)
    with opened as extraction, stop_on_interrupt(kept=f"the frames so far stay in {options.out}/") as stop:
        print_facts([("source", extraction.left.description), *extraction.left.reference_lines])
        if extraction.right is not None:
            print_facts([("right", extraction.right.description)])
        try:
            with Progress(extraction.expected) as progress:
                extraction.process(progress.step, stop.is_set)
        except MonodepthError:
            print_facts(extraction.outcome)  # what is kept
            raise
    for note in extraction.notes:
        print(f"note: {note}", file=sys.stderr)
    print_facts(extraction.outcome)
    verbs = "inspect", "train"
    print_facts(next_lines(*(command(verb, [options.out], *extraction.training_words) for verb in verbs)))
    return INTERRUPTED if stop.is_set() else 0


def _quality(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not a quality from 1 to 100")
    return value
