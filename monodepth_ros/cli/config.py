# SPDX-License-Identifier: Apache-2.0
"""`monodepth config`: every setting at its default as a commented YAML file, and the paths of the installed files."""

import argparse

from monodepth_ros.config_files import NAMES, config_file
from monodepth_ros.pipeline.parameter_docs import parameter_file
from monodepth_ros.training.config import training_file

FILES = {"node": parameter_file, "train": training_file}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.description = (
        "Print a YAML file that holds every setting at its default, with its unit, range and meaning. Redirect it into"
        " a file, keep what you change, and give that file to the node (params_file:=FILE), to `monodepth run --config"
        " FILE` or to `monodepth train --config FILE`."
    )
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument(
        "--dump", choices=tuple(FILES), help="node: depth_node and `monodepth run`; train: `monodepth train`"
    )
    wanted.add_argument(
        "--path",
        choices=NAMES,
        help="print where this file is installed: the two parameter files, RViz's configuration, and the Fast DDS "
        "profile for large images",
    )


def run(options: argparse.Namespace) -> int:
    """Print the file or the path."""
    if options.path:
        print(config_file(options.path))
    else:
        print(FILES[options.dump](), end="")
    return 0
