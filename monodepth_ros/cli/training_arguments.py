# SPDX-License-Identifier: Apache-2.0
"""Options that `monodepth train`, `inspect` and `adapt` share: recordings and the settings of a training."""

import argparse

from monodepth_ros.cli.source_arguments import RECORDINGS, add_source_arguments, several_recordings, source_settings
from monodepth_ros.training.presets import PRESETS
from monodepth_ros.training.samples.config import SOURCES

PRESET = "monodepth2"  # the default


def add_recording_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the recordings, --set, and what to read of each recording."""
    parser.add_argument("recordings", nargs="*", metavar="RECORDING", help=RECORDINGS)
    parser.add_argument(
        "--data", nargs="+", default=[], metavar="RECORDING", help="the same, as earlier versions had it"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one setting, such as data.frame_step=2; repeatable (`monodepth config --dump train` lists them all)",
    )
    add_source_arguments(parser, with_frames=False)


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --preset, --config, --sources and --from."""
    parser.add_argument(
        "--preset",
        default=PRESET,
        choices=tuple(PRESETS),
        help="settings to start with; compact trains in minutes on a CPU",
    )
    parser.add_argument(
        "--config", default="", metavar="YAML", help="settings; `monodepth config --dump train` lists them all"
    )
    parser.add_argument("--sources", choices=SOURCES, help="what the target is reconstructed from (data.sources)")
    parser.add_argument(
        "--from", dest="start_from", default="", metavar="CHECKPOINT", help="weights to start with (fine-tuning)"
    )


def add_hardware_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --device and --precision of a training."""
    parser.add_argument("--device", default="", help="auto, cpu, cuda or cuda:N (loop.device)")
    parser.add_argument(
        "--precision",
        default="",
        choices=("auto", "fp32", "bf16", "fp16"),
        metavar="P",
        help="auto, fp32, bf16 or fp16 (loop.precision)",
    )


def add_force_argument(parser: argparse.ArgumentParser) -> None:
    """Add --force of verbs whose results go into a folder."""
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace what an earlier call or others left where results go",
    )


def recording_changes(options: argparse.Namespace) -> dict[str, object]:
    """Settings by name that recordings and the options about them stand for. Raises SourceError for a live source."""
    recordings = several_recordings([*options.recordings, *options.data])
    return source_settings(options) | ({"data.recordings": recordings} if recordings else {})


def training_changes(options: argparse.Namespace) -> dict[str, object]:
    """Settings by name that recordings, the options about them, --sources and --from stand for."""
    given = {"data.sources": options.sources, "networks.start_from": options.start_from}
    return recording_changes(options) | {name: value for name, value in given.items() if value}


def hardware_changes(options: argparse.Namespace) -> dict[str, object]:
    """Settings by name that --device and --precision of a training stand for."""
    given = {"loop.device": options.device, "loop.precision": options.precision}
    return {name: value for name, value in given.items() if value}
