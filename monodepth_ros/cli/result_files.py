# SPDX-License-Identifier: Apache-2.0
"""Files of results at the paths that a user asked for."""

import csv
import json
import math
import sys
from pathlib import Path
from typing import Any

from monodepth_ros.errors import MonodepthError


def write_json(path: str, content: Any) -> None:
    """Write as JSON, numbers that it cannot hold as null; '-' is standard output. MonodepthError if it cannot
    be written."""
    text = json.dumps(_without_nan(content), indent=2)
    if path == "-":
        print(text)
    else:
        write_bytes(path, (text + "\n").encode())


def write_csv(path: str, rows: list[dict[str, Any]]) -> None:
    """Write rows of the same names; MonodepthError if there is no writing to the path."""
    try:
        with open(path, "w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, rows[0])
            table.writeheader()
            for row in rows:
                table.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
    except OSError as error:
        raise _not_written(path, error) from None


def write_picture(path: str, picture) -> None:
    """Write a bgr picture as PNG or JPEG, by its suffix; MonodepthError for another one, and for a path that
    cannot be written."""
    import cv2

    suffix = Path(path).suffix.lower()
    if suffix not in (".png", ".jpg", ".jpeg"):
        raise MonodepthError(f"{path}: cannot write a picture of this kind; expected .png or .jpg")
    write_bytes(path, cv2.imencode(suffix, picture)[1].tobytes())


def write_bytes(path: str, data: bytes) -> None:
    """Write a file; MonodepthError if there is no writing to the path."""
    try:
        Path(path).write_bytes(data)
    except OSError as error:
        raise _not_written(path, error) from None


def say(text: str, options: Any) -> None:
    """Print for a person: to standard output, or to standard error where that is taken by --json -."""
    print(text, file=sys.stderr if options.json == "-" else sys.stdout)


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
