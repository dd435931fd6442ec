# SPDX-License-Identifier: Apache-2.0
"""`scripts/bench opening`: the price of opening a long recording.

A recording of 10 GB with 100 topics, one of which is a camera's, is written with holes in place of the pixels: it takes
some 0.3 GB of disk in a temporary folder. Processes take turns: one opens it as every verb of `monodepth` does, one has
the mcap library read its summary. Reported are the fastest of each and their ratio, and the memory beyond the imports.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.arguments import make_parser
from bench.errors import BenchError
from bench.result_file import command_line, conditions, write_result
from bench.sparse_recording import SparseRecording

KINDS = ("package", "library")


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options in `arguments`."""
    parser = make_parser("opening", __doc__)
    parser.add_argument("--size", type=float, default=10.0, help="size of the recording in GB (10)")
    parser.add_argument("--topics", type=int, default=100, help="number of topics (100)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (3)")
    options = parser.parse_args(arguments)
    if options.size <= 0 or options.topics < 2 or options.rounds < 1:
        parser.error("--size and --rounds must be positive, --topics at least 2")
    return options


def main(arguments: list[str]) -> int:
    """Measure and print both, and write opening_<time>.json to the folder of results."""
    options = parse(arguments)
    with tempfile.TemporaryDirectory(prefix="monodepth-bench-") as folder:
        path = Path(folder) / "sparse.mcap"
        SparseRecording(path, options.topics, round(options.size * 1e9))
        found: dict[str, list[dict]] = {kind: [] for kind in KINDS}
        for _ in range(options.rounds):
            for kind in KINDS:
                found[kind].append(_measured(kind, path))
    best = {
        kind: {name: min(values[name] for values in found[kind]) for name in ("seconds", "bytes")} for kind in KINDS
    }
    ratios = {name: best["package"][name] / max(best["library"][name], 1e-9) for name in ("seconds", "bytes")}
    print(f"{'':12s}{'seconds':>10s}{'MB':>10s}")
    for kind in KINDS:
        print(f"{kind:12s}{best[kind]['seconds']:10.3f}{best[kind]['bytes'] / 1e6:10.1f}")
    print(f"{'ratio':12s}{ratios['seconds']:10.3f}{ratios['bytes']:10.3f}")
    figures = conditions(command_line("opening", arguments))
    figures |= {"size_gb": options.size, "topics": options.topics, "opening": best, "ratios": ratios}
    write_result("opening", figures, options.results)
    return 0


def _measured(kind: str, path: Path) -> dict:
    command = [sys.executable, "-m", "bench.opening_worker", kind, str(path)]
    process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode:
        raise BenchError(f"the process of the {kind} ended: {process.stderr.strip().splitlines()[-1]}")
    return json.loads(process.stdout.splitlines()[-1])
