# SPDX-License-Identifier: Apache-2.0
"""Tables of numbers as text: words per line, comments, and the line that names the columns."""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from monodepth_ros.errors import MonodepthError

COMMENTS = ("#", "%", "//")


class PoseFileError(MonodepthError):
    """A file that is not a readable list of poses."""


@dataclass(frozen=True)
class TextTable:
    """The words of each line that holds data. lines: its number in the file. names: of the columns, () if the file does
    not state them. has_commas: whether commas part the words."""

    path: Path
    rows: list[list[str]]
    lines: list[int]
    names: tuple[str, ...]
    has_commas: bool

    def __len__(self) -> int:
        return len(self.rows)


def read_table(path: Path, expected: str) -> TextTable:
    """Read a table of numbers, parted by spaces, tabs, commas or semicolons.

    A comment above the numbers, or a line of words there, may name the columns. expected: what a PoseFileError
    says should be there; raised for a file that is not text, holds other text, or has lines of unequal length.
    """
    rows: list[list[str]] = []
    numbers: list[int] = []
    headings: list[str] = []
    has_commas = False
    for number, line in enumerate(_text(path, expected).splitlines(), 1):
        line = line.strip()
        if line.startswith(COMMENTS):
            headings += [] if rows else [line.lstrip("#%/ ")]
            continue
        line = line.partition("#")[0].strip()
        words = re.split(r"\s*[,;]\s*|\s+", line.rstrip(",;")) if line else []
        if not words:
            continue
        try:
            for word in words:
                float(word)
        except ValueError:
            if rows or re.search(r"[xyz]\b", line) is None:
                raise PoseFileError(f"{path}: line {number} holds more than numbers; expected {expected}") from None
            headings.append(line)
            continue
        has_commas = has_commas or "," in line
        rows.append(words)
        numbers.append(number)
    if not rows:
        raise PoseFileError(f"{path}: no poses in it; expected {expected}")
    width = len(rows[0])
    for number, words in zip(numbers, rows):
        if len(words) != width:
            raise PoseFileError(
                f"{path}: line {number} has not as many numbers as the first one, {width}; expected {expected}"
            )
    return TextTable(path, rows, numbers, _names(headings, width), has_commas)


def _text(path: Path, expected: str) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PoseFileError(f"{path}: cannot be read ({error.strerror or error}); expected {expected}") from None
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # as PowerShell redirects output
    try:
        return data.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise PoseFileError(f"{path}: cannot be read as text; expected {expected}") from None


def _names(headings: list[str], width: int) -> tuple[str, ...]:
    """The names of the columns: the last heading that has one for each column, () if none has."""
    for heading in reversed(headings):
        # Units stand in brackets, with spaces before and in them: "v_RS_R_x [m s^-1]".
        bare = re.sub(r"\s*[\[(][^\])]*[\])]", lambda unit: unit.group().replace(" ", ""), heading)
        for words in (re.split(r"\s*[,;]\s*", bare.strip(" ,;")), bare.split()):
            if len(words) == width:
                return tuple(words)
    return ()
