# SPDX-License-Identifier: Apache-2.0
"""Lines of a training's log, whatever became of its file: good ones are kept, and all others are counted."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.input_file import ordinary_file
from monodepth_ros.limits import LARGEST_LOG, LONGEST_LOG_LINE, LONGEST_NAME
from monodepth_ros.structured_text import parse_json

_LAST_STEP = 10**9
_BLOCK = 1 << 16


def log_lines(path: Path) -> tuple[list[dict[str, Any]], str]:
    """The good lines as dictionaries, and a note about the others, '' if there are none.

    A good line has a whole number `step`, a text `kind`, perhaps a list of texts `samples`, and numbers or null by
    other names. A number that is not finite becomes None. Lines longer than LONGEST_LOG_LINE and what lies behind
    LARGEST_LOG are left out. Raises MonodepthError for a file that cannot be read.
    """
    ordinary_file(path)
    lines, first, count = [], 0, 0
    try:
        for number, data in enumerate(_raw_lines(path), 1):
            line = _line(data)
            if line is not None:
                lines.append(line)
            elif data.strip():
                first, count = first or number, count + 1
    except OSError as error:
        raise MonodepthError(f"{path} cannot be read: {one_line(error)}") from None
    if not count:
        return lines, ""
    shown = "1 line is no line of a log" if count == 1 else f"{count} lines are no lines of a log"
    return lines, f"{path}: {shown} and left out (the first is line {first}); {len(lines)} are kept"


def _raw_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file. Of one that is too long only the beginning is kept in memory."""
    with open(path, "rb") as file:
        left = LARGEST_LOG
        while left > 0 and (data := file.readline(LONGEST_LOG_LINE + 1)):
            left -= len(data)
            rest = data
            while not rest.endswith(b"\n") and left > 0 and (rest := file.readline(_BLOCK)):
                left -= len(rest)
                data = data[:_BLOCK] + b"..."  # no JSON any more
            yield data


def _line(data: bytes) -> dict[str, Any] | None:
    try:
        line = parse_json(data.decode("utf-8"), "a line")
    except ValueError:  # cut off when the process was killed, or damaged
        return None
    if not isinstance(line, dict) or "kind" not in line:
        return None
    step = line.get("step")
    if type(step) is not int or not 0 <= step <= _LAST_STEP:
        return None
    values = {name: _finite(value) for name, value in line.items()}
    are_good = all(len(name) <= LONGEST_NAME and _is_good(name, value) for name, value in values.items())
    return values if are_good else None


def _finite(value: Any) -> Any:
    """The value; None for a number that no double can hold."""
    if type(value) is int and abs(value) > 1e300:
        return None
    return None if type(value) is float and not math.isfinite(value) else value


def _is_good(name: str, value: Any) -> bool:
    if name == "kind":
        return isinstance(value, str)
    if name == "samples":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return value is None or type(value) in (int, float)
