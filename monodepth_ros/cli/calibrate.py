# SPDX-License-Identifier: Apache-2.0
"""`monodepth calibrate`: a camera's intrinsics from a recording of it, without a chessboard."""

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path

from monodepth_ros.calibration.estimate import estimate_lens
from monodepth_ros.calibration.lens_prior import CENTRES
from monodepth_ros.calibration.summary import comparison_line, facts, file_comments, refusal
from monodepth_ros.calibration.tracks import Tracker
from monodepth_ros.cli.interrupt import INTERRUPTED, stop_on_interrupt
from monodepth_ros.cli.next_commands import command, next_lines, source_words
from monodepth_ros.cli.output_arguments import chosen_outputs
from monodepth_ros.cli.progress import Progress, stage
from monodepth_ros.cli.result_files import print_facts
from monodepth_ros.cli.source_arguments import SOURCE, add_source_arguments, one_source, print_choices, source_options
from monodepth_ros.data.calibration import calibration_text
from monodepth_ros.data.images.image_codec import to_gray
from monodepth_ros.data.sources.left_out import few_reasons
from monodepth_ros.data.sources.open_source import is_live, open_source
from monodepth_ros.data.sources.read_ahead import read_ahead
from monodepth_ros.data.sources.source import FrameSource, SourceChoiceError
from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.output_file import write_file
from monodepth_ros.results_folder import check_results_folder, new_results_folder

FILE = "calibration.yaml"
UNDETERMINED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.description = (
        "Estimate focal length, principal point and radial distortion from a recording in which the camera moves and"
        " turns, by bundle adjustment of tracked corners, with their uncertainty. Leaves a calibration file in"
        " camera_calibration's format. Exit code 1, and no file, if the recording does not determine the focal length."
    )
    parser.add_argument("source", nargs="+", metavar="SOURCE", help=SOURCE)
    add_source_arguments(parser)
    lens = parser.add_argument_group("the lens")
    lens.add_argument(
        "--radial-terms",
        type=int,
        choices=(0, 1, 2, 3),
        default=3,
        help="largest number of radial terms (default 3); the last ones are left out while they are insignificant",
    )
    lens.add_argument(
        "--centre",
        choices=tuple(CENTRES),
        default="near",
        help="principal point: expected near the image's middle (default), fixed there, or free (a cropped image)",
    )
    what = parser.add_argument_group("what to write")
    what.add_argument("--results", default="results", metavar="DIR", help="folder of the results (default: results)")
    what.add_argument("--out", default="", metavar="FILE", help=f"the file (default: results/<time>/{FILE})")
    what.add_argument("--name", default="camera", help="camera_name in the file (default: camera)")
    what.add_argument(
        "--force",
        action="store_true",
        help="replace an existing file, and write one however uncertain the result is",
    )


def run(options: argparse.Namespace) -> int:
    """Calibrate; returns 0, 1 if the focal length is undetermined, 130 after control-C. Raises MonodepthError."""
    if options.out and Path(options.out).exists() and not options.force:
        raise MonodepthError(f"{options.out} exists: give another --out, or --force to replace it")
    outputs = chosen_outputs("calibrate", options, {"--out": options.out})
    if not options.out:
        check_results_folder(options.results)
    try:
        with stage(f"reading {options.source[0]}"):
            source = open_source(one_source(options.source, options), source_options(options))
    except SourceChoiceError as error:
        print_choices(error, options)
        return 2
    tracker = Tracker()
    with source:
        print_facts([("source", source.description)])
        with stop_on_interrupt(kept="the frames so far are used") as stop:
            recorded = track(source, tracker, options.frames, stop.is_set)
    with stage("adjusting"):
        estimate = estimate_lens(tracker.segments, tracker.size, options.centre, options.radial_terms)
        estimate = estimate.resized(recorded.width, recorded.height)
    print_facts([("frames", f"{tracker.frames}{left_out(source)}"), *facts(estimate)])
    if recorded.is_calibrated:
        print_facts([("recorded", comparison_line(estimate, recorded))])
    reason = refusal(estimate)
    if reason:
        print_facts([("undetermined", reason)])
        if not options.force:
            return UNDETERMINED
    comments = file_comments(estimate, source.description)
    text = calibration_text(estimate.lens.camera(), options.name, comments)
    path = options.out
    if path:
        outputs.write("--out", text)
    else:
        path = str(new_results_folder(options.results) / FILE)
        write_file(path, text)
    print_facts([("calibration", path), *next_steps(options, path)])
    return INTERRUPTED if stop.is_set() else 0


def track(source: FrameSource, tracker: Tracker, limit: int, is_stopped: Callable[[], bool]) -> CameraModel:
    """Track corners through the frames of a source, at most `limit` of them (0: all); returns its first frame's camera.

    Frames of another size than the first are left out. Raises MonodepthError if there are no frames.
    """
    first = None
    expected = min(source.frame_count or limit, limit) if limit else source.frame_count
    with Progress(expected, task="tracking") as progress:
        for frame in read_ahead(source.frames()):
            if is_stopped() or (limit and tracker.frames == limit):
                break
            first = first or frame
            if frame.pixels.size == first.pixels.size:
                tracker.add(to_gray(frame.pixels.array, frame.pixels.layout))
            else:
                source.left_out["an image of another size than the first"] += 1
            progress.step()
    if first is None:
        raise MonodepthError(f"{source.description} has no frames{left_out(source)}")
    tracker.end_segment()
    return first.camera


def left_out(source: FrameSource) -> str:
    """The frames that were skipped, by reason, as the end of a line."""
    return "".join(f"; left out {count}: {reason}" for reason, count in few_reasons(source.left_out))


def next_steps(options: argparse.Namespace, path: str) -> list[tuple[str, str]]:
    """Depth with the new calibration, and a training with it."""
    words = source_words(
        dataclasses.replace(source_options(options), calibration_file=path, rectified=False, unrectified=False)
    )
    if is_live(options.source[0]):
        return next_lines(f"ros2 launch monodepth_ros depth.launch.py calibration_file:={path}")
    return next_lines(command("run", options.source, *words), command("train", options.source, *words))
