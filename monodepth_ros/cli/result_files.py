# SPDX-License-Identifier: Apache-2.0
"""The formats of what verbs write at the paths that a user asked for, and lines for people."""

import csv
import io
import json
import math
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from monodepth_ros.errors import MonodepthError
from monodepth_ros.foreign_text import printable
from monodepth_ros.output_file import write_file

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")


def json_text(content: Any) -> str:
    """JSON of the content; NaN and infinity become null."""
    return json.dumps(_without_nan(content), indent=2) + "\n"


def csv_text(rows: list[dict[str, Any]]) -> str:
    """A table whose rows have the same names."""
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, rows[0])
    table.writeheader()
    for row in rows:
        table.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
    return text.getvalue()


def check_picture_name(path: str) -> None:
    """Raise MonodepthError for a name that no picture can have."""
    if Path(path).suffix.lower() not in PICTURE_SUFFIXES:
        raise MonodepthError(f"{path}: cannot write a picture of this kind; expected .png or .jpg")


def encoded_picture(path: str, picture: np.ndarray) -> bytes:
    """A picture (H, W, 3) BGR as PNG or JPEG, chosen by the suffix; MonodepthError for any other suffix."""
    check_picture_name(path)
    return cv2.imencode(Path(path).suffix.lower(), picture)[1].tobytes()


def write_json(path: str, content: Any) -> None:
    """Write JSON whole or not at all, or print it for '-'. Raises MonodepthError if the file cannot be written."""
    text = json_text(content)
    if path == "-":
        print(text, end="")
    else:
        write_file(path, text)


def write_csv(path: str, rows: list[dict[str, Any]]) -> None:
    """Write a table whole or not at all. Raises MonodepthError if the file cannot be written."""
    write_file(path, csv_text(rows))


def write_picture(path: str, picture: np.ndarray) -> None:
    """Write a picture (H, W, 3) BGR whole or not at all, as PNG or JPEG, chosen by the suffix.

    Raises MonodepthError for any other suffix and for a file that cannot be written.
    """
    write_file(path, encoded_picture(path, picture))


def say(text: str, options: Any) -> None:
    """Print for people: on standard output, or on standard error if --json - uses the former."""
    print(printable(text), file=sys.stderr if options.json == "-" else sys.stdout)


def print_facts(facts: Iterable[tuple[str, str]], width: int = 13) -> None:
    """Print (name, value) pairs, a line each, with the values in one column."""
    for name, value in facts:
        print(printable(f"{name:<{width}}{value}"))


def _without_nan(content: Any) -> Any:
    if isinstance(content, dict):
        return {name: _without_nan(value) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_without_nan(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content
