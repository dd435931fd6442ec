# SPDX-License-Identifier: Apache-2.0
"""`scripts/bench table`: results of `scripts/bench live` and `scripts/bench train` as Markdown tables.

Live: one row for each phase. Times in milliseconds unless the column says otherwise. Latency and its percentiles are
from stamp to receipt of the first output; inference, decode and publish are medians of the node's stage times. Start:
from configure to the first output. To bare: decode, inference and publish together, divided by the networks alone. To
plain: frames/s and median latency, divided by those of the plain node in the same run.

--docs rewrites the tables of README.md and docs/ from docs/benchmarks/data instead (see bench/page_tables.py).
"""

import argparse
import json
import sys
from pathlib import Path

from bench.errors import BenchError
from bench.page_tables import rewrite_pages
from bench.result_rows import COLUMNS, TRAIN_COLUMNS, live_rows, markdown_table, train_rows


def main(arguments: list[str] | None = None) -> int:
    """Print the tables, or write them into the documentation."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench table", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path, help="JSON files of results")
    parser.add_argument("--docs", action="store_true", help="rewrite the tables of README.md and docs/")
    options = parser.parse_args(arguments)
    if bool(options.files) == options.docs:
        parser.error("expected JSON files of results, or --docs")
    return _write_docs(Path(__file__).resolve().parents[1]) if options.docs else _print_tables(options.files)


def _write_docs(root: Path) -> int:
    try:
        changed = rewrite_pages(root)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    for path in changed:
        print(f"wrote {path.relative_to(root)}")
    return 0


def _print_tables(files: list[Path]) -> int:
    results = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    live = [cells for figures in results if "node" in figures for cells in live_rows(figures)]
    train = [cells for figures in results if "variants" in figures for cells in train_rows(figures)]
    for columns, rows in ((COLUMNS, live), (TRAIN_COLUMNS, train)):
        if rows:
            print("\n".join(markdown_table(columns, rows)))
    return 0
