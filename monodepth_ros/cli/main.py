# SPDX-License-Identifier: Apache-2.0
"""The `monodepth` command: `monodepth <verb> ...`, one file per verb in this folder."""

import argparse
import sys
from importlib import import_module

from monodepth_ros.errors import MonodepthError
from monodepth_ros.version import __version__

VERBS = ("adapt", "config", "download", "evaluate", "export", "extract", "info", "inspect", "run", "synth", "train")


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; bad input ends with exit code 2 and one line on standard error."""
    parser = argparse.ArgumentParser(
        prog="monodepth", description="Depth and odometry from one camera, learned from its own recordings."
    )
    parser.add_argument("--version", action="version", version=f"monodepth_ros {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    for name in VERBS:
        import_module(f"monodepth_ros.cli.{name}").add_parser(verbs)
    options = parser.parse_args(arguments)
    options.arguments = sys.argv[1:] if arguments is None else arguments
    try:
        return options.run(options) or 0
    except MonodepthError as error:
        print(f"monodepth {options.verb}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0


if __name__ == "__main__":
    sys.exit(main())
