# SPDX-License-Identifier: Apache-2.0
"""`monodepth run`: the node's pipeline over a recording, as fast as it goes."""

import argparse
import dataclasses

from monodepth_ros.cli.interrupt import INTERRUPTED, stop_on_interrupt
from monodepth_ros.cli.progress import Progress
from monodepth_ros.cli.result_files import print_facts
from monodepth_ros.cli.source_arguments import add_source_arguments, print_choices, source_options
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceChoiceError
from monodepth_ros.odometry.scale.source import ScaleError
from monodepth_ros.offline.run import OfflineRun, RunSettings
from monodepth_ros.pipeline.run_config import RunConfig
from monodepth_ros.pipeline.run_parameters import read_run_config
from monodepth_ros.settings.files import changed
from monodepth_ros.settings.schema import replace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.description = (
        "Run the node's pipeline over a bag (rosbag2 or ROS 1), a folder of images, a KITTI drive or sequence, a video,"
        " or a camera. Leaves depth, video, cloud, trajectory, metrics and a report in results/<time>/."
    )
    parser.add_argument("source", help="bag, folder, video, or the number of a camera (0)")
    parser.add_argument(
        "--checkpoint", default="", metavar="C", help="weights (default: the bundled demonstration checkpoint)"
    )
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
    parser.add_argument("--device", default="", help="auto, cpu, cuda or cuda:N (default: the setting device)")
    add_source_arguments(parser)
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
        "--animation", default="", metavar="FILE", help="write a moving picture (.webp or .gif) of up to 300 frames"
    )


def run(options: argparse.Namespace) -> int:
    """Run; returns 0, or 130 after control-C (the frames so far are reported). Raises MonodepthError for bad input."""
    config = configuration(options)
    # The configuration file may set these as well.
    chosen = dataclasses.replace(
        source_options(options),
        calibration_file=config.calibration_file,
        rectified=config.image.rectified,
        field_of_view=config.image.field_of_view,
    )
    try:
        source = open_source(options.source, chosen)
    except SourceChoiceError as error:
        print_choices(error, options)
        return 2
    settings = RunSettings(
        results=options.results,
        depth=options.depth,
        video=not options.no_video,
        bag=options.out,
        animation=options.animation,
        frames=options.frames,
    )
    with source, stop_on_interrupt() as stop:
        try:
            offline = OfflineRun(source, config, settings)
        except ScaleError as error:
            raise ScaleError(f"{error} (a setting is given as --set scale.source=relative)") from None
        print_facts([*offline.facts, *(("note", note) for note in offline.notes)])
        with Progress(offline.expected_frames) as progress:
            offline.process(progress.step, stop.is_set)
        offline.finish()
    print_facts(offline.outcome)
    return INTERRUPTED if stop.is_set() else 0


def configuration(options: argparse.Namespace) -> RunConfig:
    """The settings that a user asked for: the file, then --set, then the options that are settings."""
    config = read_run_config(options.config) if options.config else RunConfig()
    config = changed(config, options.set)
    given = {
        "checkpoint": options.checkpoint,
        "device": options.device,
        "calibration_file": options.calibration,
        "image.rectified": options.rectified,
        "image.field_of_view": options.field_of_view,
    }
    return replace(config, {name: value for name, value in given.items() if value})
