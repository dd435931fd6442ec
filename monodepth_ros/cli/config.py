# SPDX-License-Identifier: Apache-2.0
"""`monodepth config`: every setting at its default as a commented YAML file."""

import argparse


def add_parser(verbs: argparse._SubParsersAction) -> None:
    """Register the verb and its options."""
    parser = verbs.add_parser(
        "config",
        help="print every setting of the node or of a training, with its default, unit and meaning",
        description="Print a YAML file that holds every setting at its default, with its unit, range and meaning."
        " Redirect it into a file, keep what you change, and give that file to the node (params_file:=FILE), to"
        " `monodepth run --config FILE` or to `monodepth train --config FILE`.",
    )
    parser.add_argument(
        "--dump",
        required=True,
        choices=("node", "train"),
        help="node: depth_node and `monodepth run`; train: `monodepth train`",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the file."""
    # Imported here because every other verb lists this one.
    from monodepth_ros.pipeline.parameter_docs import parameter_file
    from monodepth_ros.training.config import training_file

    print({"node": parameter_file, "train": training_file}[options.dump](), end="")
    return 0
