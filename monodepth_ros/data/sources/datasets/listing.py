# SPDX-License-Identifier: Apache-2.0
"""Lists of images with their times, as data sets keep them: one time and one file name per line."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from monodepth_ros.data.sources.image_sequence import image_files
from monodepth_ros.data.sources.image_times import DEFAULT_RATE, list_lines, timed_images, times_at_rate
from monodepth_ros.data.sources.source import SourceError
from monodepth_ros.data.time_texts import UNITS, exact_ns, unit_of


class Listing(NamedTuple):
    """Existing files in the order of their times, each time once, the times [ns], and remarks for the user."""

    files: list[Path]
    stamps_ns: list[int]
    notes: list[str]


class SetImages(NamedTuple):
    """Images of a data set. own_ns: their times there [ns], which depth and poses go by. stamps_ns: those they get."""

    files: list[Path]
    own_ns: list[int]
    stamps_ns: list[int]
    notes: list[str]


def set_images(listing: Listing | None, folder: Path, rate: float) -> SetImages:
    """The images of a list or, without one, of a folder with times in their names. rate: a stated one [Hz], or 0.

    A list that merely counts its images (0, 1, 2, ...) gives no times: DEFAULT_RATE, which a note says.
    """
    if listing is None:
        files, own_ns, notes = timed_images(image_files(folder), [folder, folder.parent], 0.0)
        listing = Listing(files, own_ns, [] if rate else notes)
    stamps_ns, notes = listing.stamps_ns, list(listing.notes)
    steps = {later - earlier for earlier, later in zip(stamps_ns, stamps_ns[1:])}
    if rate:
        stamps_ns = times_at_rate(len(stamps_ns), rate)
    elif steps == {UNITS["s"]} and stamps_ns[0] in (0, UNITS["s"]):
        stamps_ns = times_at_rate(len(stamps_ns), DEFAULT_RATE)
        notes.append(f"the list counts images: {DEFAULT_RATE:g} Hz is assumed, --rate HZ states another")
    return SetImages(listing.files, listing.stamps_ns, stamps_ns, notes)


def read_listing(path: Path, folder: Path, columns: tuple[int, int] = (0, 1), suffix: str = ".png") -> Listing:
    """Read a list of images, whose names are relative to `folder`.

    columns: numbers of the words that hold the time and the name; without a name it is the time with `suffix`. Times
    are seconds or a finer unit that their size tells. Files that do not exist are left out with a note. Raises
    SourceError for a list in another form.
    """
    rows = []
    try:
        for line in list_lines(path):
            words = re.split(r"\s*,\s*|\s+", line.partition("#")[0].strip())
            if words and words[0]:
                time = words[columns[0]]
                rows.append((time, words[columns[1]] if len(words) > columns[1] else time + suffix))
        texts = [time for time, _ in rows]
        unit = unit_of(texts) if texts else "s"
        stamps = [exact_ns(text, unit) for text in texts]
    except SourceError:
        raise
    except (ValueError, IndexError):
        raise SourceError(f"{path} cannot be read (another form): expected a time and a file name per line") from None
    files = [folder / name for _, name in rows]
    return in_order(files, stamps, path, folder)


def is_within(folder: Path, name: str | Path) -> bool:
    """Whether a name is that of a file in a folder, or of one below it by its path."""
    file = folder / name
    return ".." not in file.parts[len(folder.parts) :] and folder in file.parents and os.path.isfile(file)


def in_order(files: Iterable[Path], stamps_ns: Iterable[int], path: Path, folder: Path) -> Listing:
    """Sort files by their times; drop those that do not exist in the folder (a list leads to nothing outside of it) and
    those of a time that is there already, with notes. path: of the list."""
    there, missing, repeated, last = [], [], 0, None
    for stamp, file in sorted(zip(stamps_ns, files)):
        if not is_within(folder, file):
            missing.append(file)
        elif stamp == last:
            repeated += 1
        else:
            there.append((file, stamp))
            last = stamp
    if not there:
        first = f", {missing[0]} first" if missing else ""
        raise SourceError(f"{path} names no image that exists{first}: check that the images are unpacked beside it")
    notes = []
    if missing:
        notes.append(f"{path.name} names {len(missing)} images that do not exist, {missing[0].name} first: left out")
    if repeated:
        notes.append(f"{path.name} repeats {repeated} times: the first image of each is used")
    return Listing([file for file, _ in there], [stamp for _, stamp in there], notes)
