# SPDX-License-Identifier: Apache-2.0
"""`monodepth inspect`: the frames that a training would use of its recordings, and what is wrong with them."""

import argparse

from monodepth_ros.cli.inspection_lines import outcome_lines, recording_lines
from monodepth_ros.cli.next_commands import command, next_lines, source_words
from monodepth_ros.cli.output_arguments import add_force, chosen_outputs, write_marked_json
from monodepth_ros.cli.progress import ReadingProgress, stage
from monodepth_ros.cli.result_files import encoded_picture, say, write_json, write_picture
from monodepth_ros.cli.source_arguments import source_options
from monodepth_ros.cli.training_arguments import (
    PRESET,
    add_recording_arguments,
    add_training_arguments,
    training_changes,
)
from monodepth_ros.errors import MonodepthError
from monodepth_ros.output_file import Attempts
from monodepth_ros.own_outputs import Outputs, marked_json, marked_picture
from monodepth_ros.results_folder import check_results_folder, new_results_folder
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.inspection.contact_sheet import contact_sheet
from monodepth_ros.training.inspection.inspection import Inspection, inspect_recordings
from monodepth_ros.training.inspection.warnings import add_warnings
from monodepth_ros.training.session import training_config

VERB = "inspect"
WOULD_NOT_TRAIN = 1
SHEET, FACTS = "inspect.png", "inspect.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.description = (
        "Read recordings as `monodepth train` does. Print which frames it would use and why not the others, with"
        " warnings, and leave a contact sheet in results/<time>/. Exit code 1 if a training would refuse the"
        " recordings."
    )
    add_recording_arguments(parser)
    add_training_arguments(parser)
    parser.add_argument("--results", default="results", metavar="DIR", help="folder of the results (default: results)")
    parser.add_argument("--json", default="", metavar="FILE", help="the figures as JSON; - is standard output")
    parser.add_argument(
        "--write-mask",
        default="",
        metavar="FILE",
        help="write a PNG for data.mask_file that masks the image's unchanging border",
    )
    add_force(parser)


def run(options: argparse.Namespace) -> int:
    """Inspect; returns 0, or 1 if a training would refuse the recordings.

    Raises MonodepthError for recordings that cannot be read.
    """
    config = training_config(options.preset, options.config, options.set, training_changes(options))
    if not config.data.recordings:
        raise MonodepthError("nothing to inspect: give one or more recordings")
    if options.write_mask and not options.write_mask.lower().endswith(".png"):
        raise MonodepthError(f"{options.write_mask}: a mask is a PNG: end the name in .png")
    outputs = checked_outputs(options, config)
    check_results_folder(options.results)
    with ReadingProgress() as progress:
        inspection = inspect_recordings(config, progress)
    with stage("drawing"):
        add_warnings(inspection)
    folder = new_results_folder(options.results)
    attempt = Attempts()
    several = len(inspection.recordings) > 1
    for number, recording in enumerate(inspection.recordings):
        if number:
            say("", options)
        path = folder / (f"inspect_{number}.png" if several else SHEET)
        is_drawn = attempt(lambda path=path, recording=recording: write_picture(str(path), contact_sheet(recording)))
        sheet = [("contact sheet", str(path))] if is_drawn else []
        for name, value in [*recording_lines(recording), *sheet]:
            say(f"{name:<16}{value}", options)
    if several:
        say("", options)
    for name, value in outcome_lines(inspection):
        say(f"{name:<16}{value}", options)
    if options.write_mask:
        attempt(lambda: say(f"{'mask':<16}{write_mask(outputs, inspection)}", options))
    if not inspection.reason:
        for name, value in next_steps(options, inspection):
            say(f"{name:<16}{value}", options)
    attempt(lambda: write_json(str(folder / FACTS), marked_json(inspection.as_dict(), VERB)))
    if options.json:
        attempt(lambda: write_marked_json(outputs, "--json", inspection.as_dict()))
    attempt.end()
    return WOULD_NOT_TRAIN if inspection.reason else 0


def next_steps(options: argparse.Namespace, inspection: Inspection) -> list[tuple[str, str]]:
    """What to do after an inspection: calibrate a camera without calibration, then train with the same options, or
    adapt the bundled checkpoint."""
    recordings = [one.path for one in inspection.recordings]
    settings = [word for text in options.set for word in ("--set", text)]
    read = source_words(source_options(options))
    named = {"--config": options.config, "--sources": options.sources, "--from": options.start_from}
    words = [] if options.preset == PRESET else ["--preset", options.preset]
    words += [word for name, value in named.items() if value for word in (name, value)]
    uncalibrated = [one.path for one in inspection.recordings if not one.figures["camera"]["calibrated"]]
    # All recordings are of one camera as a rule, so one calibration is enough.
    calibrations = [command("calibrate", uncalibrated[:1], *read)] if uncalibrated else []
    return next_lines(
        *calibrations,
        command("train", recordings, *words, *settings, *read),
        command("adapt", recordings, *settings, *read),
    )


def checked_outputs(options: argparse.Namespace, config: TrainConfig) -> Outputs:
    """The files of --json and --write-mask. Raises MonodepthError for one that must not or cannot be written."""
    data = config.data
    read = [*data.recordings, data.calibration_file, data.mask_file, config.networks.start_from]
    return chosen_outputs(VERB, options, {"--json": options.json, "--write-mask": options.write_mask}, read)


def write_mask(outputs: Outputs, inspection: Inspection) -> str:
    """Write the mask of the first recording with an unchanging border; returns a line about the result."""
    path = outputs.paths["--write-mask"]
    for recording in inspection.recordings:
        if recording.scan.region is not None:
            camera = recording.index.cameras[0]
            picture = encoded_picture(path, recording.scan.region.mask(camera.width, camera.height))
            outputs.write("--write-mask", marked_picture(picture, VERB))
            return f"{path}: --set data.mask_file={path}"
    return "nothing at the border stays unchanged: none written"
