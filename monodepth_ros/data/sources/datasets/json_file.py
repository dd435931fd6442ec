# SPDX-License-Identifier: Apache-2.0
"""JSON files of data sets."""

from pathlib import Path
from typing import Any

from monodepth_ros.data.sources.source import SourceError
from monodepth_ros.errors import MonodepthError
from monodepth_ros.input_file import read_text
from monodepth_ros.limits import LARGEST_TABLE
from monodepth_ros.structured_text import StructuredTextError, parse_json


def read_json(path: Path, exact_numbers: bool = False) -> Any:
    """The content of a JSON file. exact_numbers: numbers with decimals as text, which keeps every digit of a time.

    Raises SourceError for a file that cannot be read.
    """
    kinds = {"parse_float": str, "parse_int": str} if exact_numbers else {}
    try:
        return parse_json(read_text(path, LARGEST_TABLE, exact=True), str(path), **kinds)
    except StructuredTextError as error:
        raise SourceError(f"{error}; it is damaged, or not downloaded to its end") from None
    except MonodepthError as error:
        raise SourceError(str(error)) from None
