# SPDX-License-Identifier: Apache-2.0
"""Files at the paths that a user asked for, and lines for people."""

import csv
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


def write_json(path: str, content: Any) -> None:
    """Write JSON to a file, or to standard output for '-'. NaN and infinity become null.

    Raises MonodepthError if the file cannot be written.
    """
    text = json.dumps(_without_nan(content), indent=2)
    if path == "-":
        print(text)
    else:
        write_bytes(path, (text + "\n").encode())


def write_csv(path: str, rows: list[dict[str, Any]]) -> None:
    """Write a table whose rows have the same names. Raises MonodepthError if the file cannot be written."""
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, rows[0])
            table.writeheader()
            for row in rows:
                table.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
    except OSError as error:
        raise _not_written(path, error) from None


def write_picture(path: str, picture: np.ndarray) -> None:
    """Write a picture (H, W, 3) BGR as PNG or JPEG, chosen by the suffix.

    Raises MonodepthError for any other suffix and for a file that cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (".png", ".jpg", ".jpeg"):
        raise MonodepthError(f"{path}: cannot write a picture of this kind; expected .png or .jpg")
    write_bytes(path, cv2.imencode(suffix, picture)[1].tobytes())


def write_bytes(path: str, data: bytes) -> None:
    """Write a file. Raises MonodepthError if it cannot be written."""
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(data)
    except OSError as error:
        raise _not_written(path, error) from None


def say(text: str, options: Any) -> None:
    """Print for people: on standard output, or on standard error if --json - uses the former."""
    print(printable(text), file=sys.stderr if options.json == "-" else sys.stdout)


def print_facts(facts: Iterable[tuple[str, str]], width: int = 13) -> None:
    """Print (name, value) pairs, a line each, with the values in one column."""
    for name, value in facts:
        print(printable(f"{name:<{width}}{value}"))


def _not_written(path: str, error: OSError) -> MonodepthError:
    return MonodepthError(f"{path} cannot be written: {error.strerror or error}")


def _without_nan(content: Any) -> Any:
    if isinstance(content, dict):
        return {name: _without_nan(value) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_without_nan(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content
