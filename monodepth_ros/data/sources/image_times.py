# SPDX-License-Identifier: Apache-2.0
"""Times of the images of a folder: stated by a rate, listed in times.txt, held by the names, or assumed."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from monodepth_ros.data.sources.name_times import times_of_names
from monodepth_ros.data.sources.source import SourceError
from monodepth_ros.data.time_texts import UNIT_NAMES, exact_ns, unit_of
from monodepth_ros.errors import MonodepthError
from monodepth_ros.input_file import read_text
from monodepth_ros.limits import LARGEST_LIST, MOST_LINES

DEFAULT_RATE = 10.0


class TimedImages(NamedTuple):
    """Image files in the order of their times, their times [ns], and remarks for the user."""

    files: list[Path]
    stamps_ns: list[int]
    notes: list[str]


def timed_images(files: Sequence[Path], folders: Sequence[Path], rate: float) -> TimedImages:
    """Give image files their times. folders: where times.txt may be; rate [Hz]: a stated one, 0 for none.

    A stated rate comes first, then the first times.txt, then the names (`times_of_names`), then DEFAULT_RATE, which a
    note says. Images without a time among those with times in their names are left out with a note. Raises SourceError
    for a times.txt with too few lines or without increasing times.
    """
    if rate:
        return TimedImages(list(files), times_at_rate(len(files), rate), [])
    path = next((folder / "times.txt" for folder in folders if (folder / "times.txt").is_file()), None)
    if path is not None:
        return TimedImages(list(files), *_listed(path, files))
    named = times_of_names([file.stem for file in files])
    if named is None:
        return TimedImages(list(files), times_at_rate(len(files), DEFAULT_RATE), _assumed(len(files)))
    order = sorted(named.stamps_ns, key=named.stamps_ns.__getitem__)
    shown = f"{named.rate:.1f}" if named.rate >= 1 else f"{named.rate:.2g}"
    notes = [f"times are read from the file names ({shown} Hz)"] if len(order) > 1 else []
    others = [file.name for number, file in enumerate(files) if number not in named.stamps_ns]
    if others:
        notes.append(f"left out, because their names hold no time: {len(others)} images, {others[0]} first")
    return TimedImages([files[i] for i in order], [named.stamps_ns[i] for i in order], notes)


def numbers_of(files: Sequence[Path], count: int) -> list[int]:
    """The numbers that are the names of all files, if they are below `count`; else an empty list."""
    if not all(file.stem.isdecimal() for file in files):
        return []
    numbers = [int(file.stem) for file in files]
    return numbers if max(numbers) < count else []


def _listed(path: Path, files: Sequence[Path]) -> tuple[list[int], list[str]]:
    """Times of the files: by the line of their number if there are more lines than files, else line by line."""
    count = _line_count(path)
    numbers = numbers_of(files, count) if count > len(files) else []
    times, notes = listed_times(path, count if numbers else len(files))
    return ([times[number] for number in numbers] if numbers else times), notes


def times_at_rate(count: int, rate: float) -> list[int]:
    """Times [ns] of images at a rate [Hz], from 0 on."""
    return [round(i * 1e9 / rate) for i in range(count)]


def listed_times(path: Path, count: int) -> tuple[list[int], list[str]]:
    """Times [ns] of `count` images from a file with one per line, the first word of it, and notes.

    They are seconds, or a finer unit that their size tells and a note names. Raises SourceError for other text, too few
    lines, and times that do not increase.
    """
    try:
        texts = [line.split()[0] for line in _lines(path)]
        unit = unit_of(texts) if texts else "s"
        times = [exact_ns(text, unit) for text in texts]
    except SourceError:
        raise
    except ValueError:
        raise SourceError(f"{path} is not a list of times in seconds, one per line: give --rate HZ instead") from None
    if len(times) < count:
        raise SourceError(f"{path} has {len(times)} times for {count} images: give --rate HZ instead")
    times = times[:count]
    if any(later <= earlier for earlier, later in zip(times, times[1:])):
        raise SourceError(f"the times in {path} do not increase from line to line: give --rate HZ instead")
    return times, [] if unit == "s" else [f"the times in {path} are taken as {UNIT_NAMES[unit]}"]


def _line_count(path: Path) -> int:
    try:
        return len(_lines(path))
    except SourceError:
        return 0


def _assumed(count: int) -> list[str]:
    return [f"the images have no times: {DEFAULT_RATE:g} Hz is assumed, --rate HZ states another"] if count > 1 else []


def _lines(path: Path) -> list[str]:
    lines = list_lines(path)
    return [line.replace(",", " ") for line in lines if line.strip(", \t") and not line.lstrip().startswith("#")]


def list_lines(path: Path) -> list[str]:
    """The lines of a list in a data set. Raises SourceError for a file that cannot be read or has too many lines."""
    try:
        lines = read_text(path, LARGEST_LIST).splitlines()
    except MonodepthError as error:
        raise SourceError(str(error)) from None
    if len(lines) > MOST_LINES:
        raise SourceError(f"{path} has {len(lines)} lines, more than {MOST_LINES}")
    return lines
