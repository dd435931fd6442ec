# SPDX-License-Identifier: Apache-2.0
"""`monodepth evaluate`: errors of depth and of odometry against ground truth."""

import argparse

from monodepth_ros.cli import evaluate_depth, evaluate_odometry
from monodepth_ros.cli.source_arguments import print_choices
from monodepth_ros.data.sources.source import SourceChoiceError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two subjects with their options."""
    parser.description = "Errors against ground truth, by the protocols of the field's tables."
    subjects = parser.add_subparsers(dest="subject", required=True, metavar="depth|odometry")
    evaluate_depth.add_parser(subjects)
    evaluate_odometry.add_parser(subjects)


def run(options: argparse.Namespace) -> int:
    """Evaluate; returns 2 if a camera has to be chosen. Raises MonodepthError for bad input."""
    try:
        return options.evaluate(options) or 0
    except SourceChoiceError as error:
        print_choices(error, options)
        return 2
