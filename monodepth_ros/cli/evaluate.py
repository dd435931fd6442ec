# SPDX-License-Identifier: Apache-2.0
"""`monodepth evaluate`: errors of depth and of odometry against ground truth."""

import argparse
import shlex
import sys

from monodepth_ros.cli import evaluate_depth, evaluate_odometry


def add_parser(verbs: argparse._SubParsersAction) -> None:
    """Register the verb and its two subjects."""
    parser = verbs.add_parser(
        "evaluate",
        help="measure depth or odometry against ground truth",
        description="Errors against ground truth, by the protocols of the field's tables.",
    )
    subjects = parser.add_subparsers(dest="subject", required=True, metavar="depth|odometry")
    evaluate_depth.add_parser(subjects)
    evaluate_odometry.add_parser(subjects)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Evaluate; MonodepthError for bad input, 2 where a camera must be chosen."""
    from monodepth_ros.data.sources.source import SourceChoiceError

    try:
        return options.evaluate(options) or 0
    except SourceChoiceError as error:
        print(f"monodepth evaluate: {error}", file=sys.stderr)
        for choice in error.choices:
            print("  " + shlex.join(["monodepth", *options.arguments, *choice]), file=sys.stderr)
        return 2
