# SPDX-License-Identifier: Apache-2.0
"""`monodepth run`: the node's pipeline over a recording, as fast as it goes."""

import argparse
import dataclasses
from pathlib import Path

from monodepth_ros.cli.interrupt import INTERRUPTED, stop_on_interrupt
from monodepth_ros.cli.network_arguments import add_network_arguments, engine_settings
from monodepth_ros.cli.next_commands import command, next_lines, node_command, source_words
from monodepth_ros.cli.output_arguments import add_force, input_paths
from monodepth_ros.cli.progress import Progress, stage
from monodepth_ros.cli.result_files import print_facts
from monodepth_ros.cli.source_arguments import SOURCE, add_source_arguments, one_source, print_choices, source_options
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.sources.open_source import is_live, open_source
from monodepth_ros.data.sources.source import FrameSource, SourceChoiceError
from monodepth_ros.errors import MonodepthError
from monodepth_ros.odometry.scale.source import ScaleError
from monodepth_ros.offline.run import OfflineRun, RunSettings
from monodepth_ros.own_outputs import Outputs, refuse_inputs
from monodepth_ros.pipeline.run_config import RunConfig
from monodepth_ros.pipeline.run_parameters import read_run_config
from monodepth_ros.results_folder import check_results_folder
from monodepth_ros.settings.files import changed
from monodepth_ros.settings.schema import replace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.description = (
        "Run the node's pipeline over a bag (rosbag2 or ROS 1), a folder of images or of a data set, a video,"
        " or a camera. Leaves depth, video, cloud, trajectory, metrics and a report in results/<time>/."
    )
    parser.add_argument("source", nargs="+", metavar="SOURCE", help=SOURCE)
    parser.add_argument(
        "--config",
        default="",
        metavar="YAML",
        help="parameter file of the node; `monodepth config --dump node` prints one",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one setting, such as depth.resolution=image; repeatable",
    )
    add_source_arguments(parser)
    add_network_arguments(parser, precision="")
    what = parser.add_argument_group("what to write")
    what.add_argument("--results", default="results", metavar="DIR", help="folder of the results (default: results)")
    what.add_argument(
        "--depth", choices=("png", "npz", "none"), default="png", help="depth files (default: 16-bit png)"
    )
    what.add_argument("--no-video", action="store_true", help="write no video")
    what.add_argument(
        "--out", default="", metavar="BAG", help="write the node's topics into a new bag (.mcap, .db3 or folder)"
    )
    what.add_argument(
        "--with-input", action="store_true", help="copy the input images and their camera_info into the bag of --out"
    )
    what.add_argument(
        "--animation", default="", metavar="FILE", help="write a moving picture (.webp or .gif) of up to 300 frames"
    )
    what.add_argument(
        "--view", action="store_true", help="show image and depth in a window (space: pause, q: stop, with all results)"
    )
    what.add_argument(
        "--rerun",
        nargs="?",
        const="",
        type=rerun_file,
        metavar="FILE",
        help="show the run in Rerun's viewer, or write a new .rrd file (needs rerun-sdk)",
    )
    add_force(what, "what is at --out, --rerun or --animation")


def rerun_file(text: str) -> str:
    """Type of --rerun: the name of a new .rrd file. Without the check the option would swallow a recording's name."""
    if not text.endswith(".rrd"):
        raise argparse.ArgumentTypeError(f"{text}: the file's name must end in .rrd; name the recording before --rerun")
    return text


def run(options: argparse.Namespace) -> int:
    """Run; returns 0, or 130 after control-C (the frames so far are reported). Raises MonodepthError for bad input."""
    if options.with_input and not options.out:
        raise MonodepthError("--with-input copies the images into the bag of --out: name one, such as --out depth.mcap")
    config = configuration(options)
    check_outputs(options, config)
    # The configuration file may set these as well.
    chosen = dataclasses.replace(
        source_options(options),
        calibration_file=config.calibration_file,
        rectified=config.image.rectified,
        unrectified=config.image.unrectified,
        field_of_view=config.image.field_of_view,
        encoding=config.image.encoding,
        intensity_range=config.image.intensity_range,
    )
    try:
        with stage(f"reading {options.source[0]}"):
            source = open_source(one_source(options.source, options), chosen)
    except SourceChoiceError as error:
        print_choices(error, options)
        return 2
    settings = RunSettings(
        results=options.results,
        depth=options.depth,
        video=not options.no_video,
        bag=options.out,
        with_input=options.with_input,
        view=options.view,
        rerun=options.rerun,
        animation=options.animation,
        frames=options.frames,
        force=options.force,
    )
    with source:
        try:
            with stage("loading networks"):
                offline = OfflineRun(source, config, settings)
        except ScaleError as error:
            raise ScaleError(f"{error} (a setting is given as --set scale.source=relative)") from None
        print_facts([*offline.facts, *(("note", note) for note in offline.notes)])
        with stop_on_interrupt(kept=f"results so far stay in {offline.folder}/, with a report") as stop:
            with Progress(offline.expected_frames) as progress:
                offline.process(progress.step, stop.is_set, progress.say)
            try:
                with stage("writing the report"):
                    offline.finish()
            finally:
                print_facts(offline.outcome)
    print_facts(next_steps(options, source, offline))
    return INTERRUPTED if stop.is_set() else 0


def check_outputs(options: argparse.Namespace, config: RunConfig) -> None:
    """Refuse an output that the run reads, and one path for two of them, before the work. Raises MonodepthError."""
    check_results_folder(options.results)
    read = [*input_paths(options), config.checkpoint, config.calibration_file]
    named = {"--out": options.out, "--rerun": options.rerun or "", "--animation": options.animation}
    for option, path in named.items():
        if path:
            refuse_inputs(path, [name for name in read if name], option)
    Outputs("run", {option: path for option, path in named.items() if not Path(path).exists()})
    if options.animation:
        Outputs("run", {"--animation": options.animation}, force=options.force)
    if options.out:
        BagWriter(options.out, replace=options.force)


def configuration(options: argparse.Namespace) -> RunConfig:
    """The settings that a user asked for: the file, then --set, then the options that are settings."""
    config = read_run_config(options.config) if options.config else RunConfig()
    config = changed(config, options.set)
    given = {
        "calibration_file": options.calibration,
        "image.rectified": options.rectified,
        "image.unrectified": options.unrectified,
        "image.field_of_view": options.field_of_view,
        "image.encoding": options.encoding,
        "image.intensity_range": options.intensity_range,
    }
    return replace(config, engine_settings(options) | {name: value for name, value in given.items() if value})


def next_steps(options: argparse.Namespace, source: FrameSource, offline: OfflineRun) -> list[tuple[str, str]]:
    """What to do after a run: calibrate a camera without calibration, adapt the networks to this camera, and start the
    node with the settings of the run."""
    given = (options.set, options.config, options.encoding, options.intensity_range, options.unrectified)
    has_settings = any(given)
    parameters = str(offline.folder / "config.yaml") if has_settings else ""
    chosen = source_options(options)
    node = node_command(source, chosen, options.checkpoint, parameters=parameters)
    if is_live(options.source[0]):
        return next_lines(node)
    words = ["--checkpoint", options.checkpoint] if options.checkpoint else []
    read = source_words(chosen)
    calibrations = [] if source.is_calibrated else [command("calibrate", options.source, *read)]
    return next_lines(*calibrations, command("adapt", options.source, *words, *read), node)
