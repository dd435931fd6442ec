# SPDX-License-Identifier: Apache-2.0
"""Tables of numbers as text: words per line, comments, and the line that names the columns."""

import codecs
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.input_file import ordinary_file
from monodepth_ros.limits import LARGEST_LIST, MOST_LINES

COMMENTS = ("#", "%", "//")
_LONGEST_HEADING = 10_000  # characters that may name columns


class PoseFileError(MonodepthError):
    """A file that is not a readable list of poses."""


@dataclass(frozen=True, eq=False)
class TextTable:
    """The lines of a file that hold data. values: (N, W) their numbers. texts: their words, parted by one space.

    lines: their numbers in the file. names: of the columns, () if the file does not state them. has_commas: whether
    commas part the words.
    """

    path: Path
    values: np.ndarray
    texts: list[str]
    lines: array
    names: tuple[str, ...]
    has_commas: bool

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def width(self) -> int:
        """Number of words per line."""
        return int(self.values.shape[1])

    def column(self, number: int) -> list[str]:
        """The words of a column, in which times have all their digits."""
        return [text.split(" ", number + 1)[number] for text in self.texts]

    def word(self, row: int, column: int) -> str:
        """One word."""
        return self.texts[row].split(" ", column + 1)[column]


def read_table(path: Path, expected: str) -> TextTable:
    """Read a table of numbers, parted by spaces, tabs, commas or semicolons.

    A comment above the numbers, or a line of words there, may name the columns. expected: what a PoseFileError
    says should be there; raised for a file that is not text, holds other text, has lines of unequal length, or is
    larger than LARGEST_LIST or MOST_LINES.
    """
    values, texts, numbers = array("d"), [], array("q")
    headings: list[str] = []
    has_commas, width = False, 0
    for number, line in enumerate(_lines(path, expected), 1):
        line = line.strip()
        if line.startswith(COMMENTS):
            headings += [] if texts else [line.lstrip("#%/ ")[:_LONGEST_HEADING]]
            continue
        line = line.partition("#")[0].strip()
        words = re.split(r"\s*[,;]\s*|\s+", line.rstrip(",;")) if line else []
        if not words:
            continue
        try:
            found = [float(word) for word in words]
        except ValueError:
            if texts or re.search(r"[xyz]\b", line) is None:
                raise PoseFileError(f"{path}: line {number} holds more than numbers; expected {expected}") from None
            headings.append(line[:_LONGEST_HEADING])
            continue
        width = width or len(words)
        if len(words) != width:
            raise PoseFileError(
                f"{path}: line {number} has not as many numbers as the first one, {width}; expected {expected}"
            )
        if len(texts) == MOST_LINES:
            raise PoseFileError(f"{path}: more than {MOST_LINES} lines: give a part of it, or every n-th line")
        has_commas = has_commas or "," in line
        values.extend(found)
        texts.append(" ".join(words))
        numbers.append(number)
    if not texts:
        raise PoseFileError(f"{path}: no poses in it; expected {expected}")
    table = np.frombuffer(values, np.float64).reshape(-1, width)
    return TextTable(path, table, texts, numbers, _names(headings, width), has_commas)


def _lines(path: Path, expected: str) -> Iterator[str]:
    try:
        with ordinary_file(path, LARGEST_LIST).open("rb") as file:
            begin = file.read(2)
        is_wide = begin in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # as PowerShell redirects output
        with path.open(encoding="utf-16" if is_wide else "utf-8-sig") as text:
            yield from text
    except PoseFileError:
        raise
    except UnicodeError:
        raise PoseFileError(f"{path}: cannot be read as text; expected {expected}") from None
    except MonodepthError as error:
        raise PoseFileError(f"{error}; expected {expected}") from None
    except OSError as error:
        raise PoseFileError(f"{path}: cannot be read ({one_line(error)}); expected {expected}") from None


def _names(headings: list[str], width: int) -> tuple[str, ...]:
    """The names of the columns: the last heading that has one for each column, () if none has."""
    for heading in reversed(headings):
        # Units stand in brackets, with spaces before and in them: "v_RS_R_x [m s^-1]".
        bare = re.sub(r"\s*[\[(][^\])]*[\])]", lambda unit: unit.group().replace(" ", ""), heading)
        for words in (re.split(r"\s*[,;]\s*", bare.strip(" ,;")), bare.split()):
            if len(words) == width:
                return tuple(words)
    return ()
