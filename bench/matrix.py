# SPDX-License-Identifier: Apache-2.0
"""`scripts/bench matrix`: `scripts/bench live` for all combinations of networks, sizes, engines and outputs.

It prints a table of the results, and the combinations that failed. Other options, such as --seconds 8 --plain, are
passed on to `scripts/bench live`. The network `default` has a fixed size and runs once for each engine and output.
"""

import argparse
import itertools
import shlex
import subprocess
import sys
import time

from bench.arguments import NETWORKS, make_parser, outputs, size
from bench.table import main as print_table


def parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """The options of `scripts/bench matrix`, and the other arguments for `scripts/bench live`."""
    parser = make_parser("matrix", __doc__, allow_abbrev=False)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS), help="default: all")
    parser.add_argument(
        "--sizes", nargs="+", type=size, default=[(640, 192), (1024, 320)], help="default: 640x192 1024x320"
    )
    parser.add_argument("--engines", nargs="+", default=["auto"], help="ENGINE or ENGINE:PRECISION (default: auto)")
    parser.add_argument(
        "--outputs",
        nargs="+",
        type=outputs,
        default=[["depth"], ["depth", "cloud", "odometry"]],
        help="default: depth depth,cloud,odometry",
    )
    return parser.parse_known_args(arguments)


def combinations(options: argparse.Namespace) -> list[list[str]]:
    """Arguments of `scripts/bench live` for each combination."""
    found = []
    for network, names, engine in itertools.product(options.networks, options.outputs, options.engines):
        name, _, precision = engine.partition(":")
        for width, height in options.sizes[:1] if network == "default" else options.sizes:
            arguments = ["--network", network, "--outputs", ",".join(names), "--engine", name]
            arguments += ["--precision", precision] if precision else []
            found.append(arguments + ([] if network == "default" else ["--size", f"{width}x{height}"]))
    return found


def main(arguments: list[str]) -> int:
    """Run the combinations one after the other and print the table; 1 if one of them fails."""
    options, rest = parse(arguments)
    failed, results = [], []
    folder = options.results / f"matrix_{time.strftime('%Y-%m-%d_%H-%M-%S')}"
    for i, combination in enumerate(combinations(options)):
        words = [*combination, *rest]
        print(f"\n$ scripts/bench live {shlex.join(words)}", flush=True)
        own = folder / f"{i:02d}"
        if subprocess.run([sys.executable, "-m", "bench", "live", *words, "--results", str(own)]).returncode:
            failed.append(shlex.join(words))
        results += sorted(own.glob("live_*.json"))
    print()
    if results:
        print_table([str(path) for path in results])
    for words in failed:
        print(f"bench: failed: scripts/bench live {words}", file=sys.stderr)
    return 1 if failed else 0
