# SPDX-License-Identifier: Apache-2.0
"""Tables of the documentation, written from docs/benchmarks/data/*.json.

A page marks where a table belongs:

    <!-- table: odometry -->
    what stands here is replaced
    <!-- end of table -->

A data file is either a result of `scripts/bench live` or `scripts/bench train`, as it was written, or a table that was
transcribed: `columns`, `rows` (column to cell, and an optional `id`), and where they come from: `machine`, `versions`,
`commit`, `date`, `commands`, and optionally `core_speed` and `how`. A cell may quote another file's cell as
`{file:id:column}`, so that a figure is written down once.
"""

import json
import re
from pathlib import Path

from bench.errors import BenchError
from bench.result_rows import COLUMNS, TRAIN_COLUMNS, live_rows, markdown_table, train_rows

TABLE = re.compile(r"(<!-- table: (\w+) -->\n)(.*?)(<!-- end of table -->)", re.DOTALL)
QUOTE = re.compile(r"\{(\w+):(\w+):([^{}]+)\}")
SOURCES = {
    "machine": "Machine",
    "versions": "Versions",
    "commit": "Commit",
    "core_speed": "Core speed",
    "date": "Date",
    "how": "Measured",
}
REQUIRED = ("machine", "versions", "commit", "date")


def rewrite_pages(root: Path) -> list[Path]:
    """Write the tables of README.md and docs/**/*.md; return the pages that changed."""
    data = load_data(root / "docs" / "benchmarks" / "data")
    changed = []
    for path in pages(root):
        text = path.read_text(encoding="utf-8")
        filled = fill_page(text, data)
        if filled != text:
            path.write_text(filled, encoding="utf-8")
            changed.append(path)
    return changed


def pages(root: Path) -> list[Path]:
    """README.md and every page of docs/."""
    return [root / "README.md", *sorted((root / "docs").rglob("*.md"))]


def load_data(folder: Path) -> dict[str, dict]:
    """File name without its ending to its content."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


def fill_page(text: str, data: dict[str, dict]) -> str:
    """The page with each marked table as its data file gives it; BenchError for one that has no data file."""
    return TABLE.sub(lambda found: found[1] + table_of(found[2], data) + found[4], text)


def table_of(name: str, data: dict[str, dict]) -> str:
    """Markdown of a data file: the table, where it comes from, and its commands."""
    if name not in data:
        raise BenchError(f"a page asks for the table {name}: no docs/benchmarks/data/{name}.json")
    figures = data[name]
    if "columns" not in figures:
        return _table_of_result(figures)
    missing = [key for key in REQUIRED if key not in figures and "commands" in figures]
    if missing:
        raise BenchError(f'{name}.json lacks {", ".join(missing)}: write "not recorded" for what is not known')
    columns = figures["columns"]
    rows = [[_quoted(row[column], data) for column in columns] for row in figures["rows"]]
    text = "\n".join(markdown_table(columns, rows)) + "\n"
    sources = [f"{title}: {figures[key]}." for key, title in SOURCES.items() if key in figures]
    return text + _footer(sources, figures.get("commands", []))


def _table_of_result(figures: dict) -> str:
    columns, rows = (TRAIN_COLUMNS, train_rows(figures)) if "variants" in figures else (COLUMNS, live_rows(figures))
    machine, versions = figures["machine"], figures["versions"]
    parts = ", ".join(machine["instructions"] + machine["gpus"])
    named = {
        "Machine": f"{machine['cpu']}, {machine['cores']} cores, {parts}",
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items() if version),
        "Commit": figures["commit"] or "not recorded",
        "Date": figures["date"][:10],
    }
    sources = [f"{title}: {text}." for title, text in named.items()]
    return "\n".join(markdown_table(columns, rows)) + "\n" + _footer(sources, [figures["command"]])


def _footer(sources: list[str], commands: list[str]) -> str:
    lines = ["", *sources] if sources else []
    if commands:
        lines += ["", "```bash", *commands, "```"]
    return "".join(f"{line}\n" for line in lines)


def _quoted(cell: str, data: dict[str, dict]) -> str:
    def look_up(found: re.Match) -> str:
        name, row_id, column = found.groups()
        rows = [row for row in data.get(name, {}).get("rows", []) if row.get("id") == row_id]
        if len(rows) != 1 or column not in rows[0]:
            raise BenchError(f"{found[0]} quotes no single cell: {name}.json has {len(rows)} rows {row_id!r}")
        return rows[0][column]

    return QUOTE.sub(look_up, cell)
