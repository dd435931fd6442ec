# SPDX-License-Identifier: Apache-2.0
"""`monodepth run`: the node's pipeline over a recording, as fast as it goes."""

import argparse
import contextlib
import dataclasses
import shlex
import signal
import sys
import threading

from monodepth_ros.cli.progress import Progress
from monodepth_ros.cli.source_arguments import add_source_arguments, source_options

INTERRUPTED = 130


def add_parser(verbs: argparse._SubParsersAction) -> None:
    """Register the verb and its options."""
    parser = verbs.add_parser(
        "run",
        help="run depth and odometry over a recording, folder, video or camera",
        description="Run the node's pipeline over a bag (rosbag2 or ROS 1), a folder of images, a KITTI "
        "drive or sequence, a video, or a camera, and leave depth, video, cloud, trajectory, metrics and a "
        "report in results/<time>/.",
    )
    parser.add_argument("source", help="bag, folder, video, or the number of a camera (0)")
    parser.add_argument(
        "--checkpoint",
        default="",
        metavar="C",
        help="weights (default: the bundled demonstration checkpoint)",
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
        "--out",
        default="",
        metavar="BAG",
        help="write the node's topics into a new bag (.mcap, .db3 or folder)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run; 0, or 130 after control-C (what was done is kept and reported). MonodepthError for bad input."""
    # Imported here because every other verb lists this one.
    from monodepth_ros.data.sources.open_source import open_source
    from monodepth_ros.data.sources.source import SourceChoiceError
    from monodepth_ros.odometry.scale.source import ScaleError
    from monodepth_ros.offline.run import OfflineRun, RunSettings

    config = configuration(options)
    # The configuration file may say these, too.
    chosen = dataclasses.replace(
        source_options(options), calibration_file=config.calibration_file, rectified=config.image.rectified
    )
    try:
        source = open_source(options.source, chosen)
    except SourceChoiceError as error:
        print(f"monodepth run: {error}", file=sys.stderr)
        for choice in error.choices:
            print("  " + shlex.join(["monodepth", *options.arguments, *choice]), file=sys.stderr)
        return 2
    settings = RunSettings(
        results=options.results,
        depth=options.depth,
        video=not options.no_video,
        bag=options.out,
        frames=options.frames,
    )
    with source, stop_on_interrupt() as stop:
        try:
            offline = OfflineRun(source, config, settings)
        except ScaleError as error:
            raise ScaleError(f"{error} (a setting is given as --set scale.source=relative)") from None
        for name, value in offline.facts:
            print(f"{name:<13}{value}")
        for note in offline.notes:
            print(f"{'note':<13}{note}")
        progress = Progress(offline.expected_frames)
        try:
            offline.process(progress.step, stop.is_set)
        finally:
            progress.end()
        offline.finish()
    for name, value in offline.outcome:
        print(f"{name:<13}{value}")
    return INTERRUPTED if stop.is_set() else 0


def configuration(options: argparse.Namespace):
    """The RunConfig that options ask for: the file, then --set, then the options that are settings."""
    from monodepth_ros.networks.bundled_checkpoint import bundled_checkpoint
    from monodepth_ros.pipeline.run_config import RunConfig
    from monodepth_ros.pipeline.run_parameters import read_run_config
    from monodepth_ros.settings.files import changed
    from monodepth_ros.settings.schema import replace

    config = read_run_config(options.config) if options.config else RunConfig()
    config = changed(config, options.set)
    given = {
        "checkpoint": options.checkpoint,
        "device": options.device,
        "calibration_file": options.calibration,
        "image.rectified": options.rectified,
    }
    config = replace(config, {name: value for name, value in given.items() if value})
    return config if config.checkpoint else replace(config, {"checkpoint": str(bundled_checkpoint())})


@contextlib.contextmanager
def stop_on_interrupt():
    """An event that control-C sets, so that what is done can be kept; a second one ends the program."""
    stop = threading.Event()

    def interrupt(number, frame) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        print("\nstopping: what is done is kept (control-C again to end at once)", file=sys.stderr)

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
