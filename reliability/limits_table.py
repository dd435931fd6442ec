# SPDX-License-Identifier: Apache-2.0
"""The table of limits in docs/reliability.md, from the names, values and comments of monodepth_ros/limits.py."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE, PAGE = ROOT / "monodepth_ros" / "limits.py", ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- limits -->", "<!-- end of limits -->"
LINE = re.compile(r"^([A-Z][A-Z0-9_]*(?:, [A-Z][A-Z0-9_]*)*) = (.+?)(?:  # (.*))?$")


def rows(source: str) -> list[tuple[str, str, str]]:
    """(name, value, meaning) of each limit, in the order of the file."""
    found = []
    for match in map(LINE.match, source.splitlines()):
        if match:
            names, value, meaning = match[1].split(", "), ast.parse(match[2], mode="eval"), match[3] or ""
            values = eval(compile(value, str(SOURCE), "eval"), {})  # a literal or a shift of our own file
            for name, one in zip(names, values if len(names) > 1 else (values,)):
                found.append((name, _shown(one), meaning))
    return found


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return " to ".join(map(_shown, value))
    if isinstance(value, int) and abs(value) >= 10**15:
        return f"{value:.4g}"
    if isinstance(value, int):
        for unit, size in (("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)):
            if value >= size and value % size == 0:
                return f"{value // size} {unit}"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def table() -> str:
    """The table as Markdown."""
    lines = ["| limit | value | of what |", "| --- | --- | --- |"]
    lines += [f"| `{name}` | {value} | {meaning} |" for name, value, meaning in rows(SOURCE.read_text())]
    return "\n".join(lines)


def page_with_table(text: str) -> str:
    """The page's text with the table of now."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{rest.partition(END)[2]}"
