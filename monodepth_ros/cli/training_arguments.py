# SPDX-License-Identifier: Apache-2.0
"""Options that `monodepth train` and `monodepth inspect` share: the settings of a training."""

import argparse

from monodepth_ros.cli.argument_types import field_of_view
from monodepth_ros.training.presets import PRESETS
from monodepth_ros.training.samples.config import SOURCES


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --preset, --config, --set, --sources, --from and --field-of-view."""
    parser.add_argument(
        "--preset",
        default="monodepth2",
        choices=tuple(PRESETS),
        help="settings to start with; compact trains in minutes on a CPU",
    )
    parser.add_argument(
        "--config", default="", metavar="YAML", help="settings; `monodepth config --dump train` lists them all"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one setting, such as data.frame_step=2; repeatable",
    )
    parser.add_argument("--sources", choices=SOURCES, help="what the target is reconstructed from (data.sources)")
    parser.add_argument(
        "--from", dest="start_from", default="", metavar="CHECKPOINT", help="weights to start with (fine-tuning)"
    )
    parser.add_argument(
        "--field-of-view",
        type=field_of_view,
        metavar="DEG",
        help="horizontal field of view of recordings without calibration (data.field_of_view)",
    )


def training_changes(options: argparse.Namespace, recordings: list[str]) -> dict[str, object]:
    """Settings by name that recordings, --sources, --from and --field-of-view stand for."""
    given = {
        "data.recordings": recordings or None,
        "data.sources": options.sources,
        "networks.start_from": options.start_from or None,
        "data.field_of_view": options.field_of_view,
    }
    return {name: value for name, value in given.items() if value is not None}
