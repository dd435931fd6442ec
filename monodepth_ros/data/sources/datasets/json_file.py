# SPDX-License-Identifier: Apache-2.0
"""JSON files of data sets."""

import json
from pathlib import Path
from typing import Any

from monodepth_ros.data.sources.source import SourceError


def read_json(path: Path, exact_numbers: bool = False) -> Any:
    """The content of a JSON file. exact_numbers: numbers with decimals as text, which keeps every digit of a time.

    Raises SourceError for a file that cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        return json.loads(text, parse_float=str, parse_int=str) if exact_numbers else json.loads(text)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}") from None
    except (UnicodeDecodeError, ValueError):
        raise SourceError(f"{path} is not JSON: it is damaged, or not downloaded to its end") from None
