# SPDX-License-Identifier: Apache-2.0
"""The image files of a folder or a pattern, and what lies between them that is none."""

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from monodepth_ros.data.sources.source import SourceError
from monodepth_ros.errors import one_line
from monodepth_ros.foreign_text import shown

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".webp")
LONGEST_NAME = 200  # bytes of an image's name that becomes that of its results; with suffixes they have 255
_ANY_DEPTH = "**"
_EXAMPLES = 3


class ImageListing(NamedTuple):
    """Image files in natural order, and notes about entries that are named like images and passed over."""

    files: list[Path]
    notes: list[str]


def list_images(folder: Path) -> ImageListing:
    """The image files of a folder in natural order (frame_2 before frame_10).

    Folders, pipes, devices and links that lead nowhere are passed over with a note, if they have the name of an image.
    Raises SourceError if there are no images.
    """
    try:
        # Names that begin so are macOS's attributes of a file.
        named = [
            path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not path.name.startswith("._")
        ]
    except OSError as error:
        raise SourceError(f"{folder} cannot be read: {one_line(error)}") from None
    found = ordinary_images(named)
    if not found.files:
        raise SourceError(f"{folder} contains no images: expected {', '.join(SUFFIXES)}{_in_brackets(found.notes)}")
    return ImageListing(in_natural_order(found.files), found.notes)


def ordinary_images(paths: Sequence[Path]) -> ImageListing:
    """Those of paths that are files, in their order, and a note about the others."""
    kinds = {path: _kind(path) for path in paths}
    others = [f"{shown(path.name)} is {kind}" for path, kind in kinds.items() if kind]
    notes = []
    if others:
        more = ", ..." if len(others) > _EXAMPLES else ""
        notes = [f"{len(others)} of {len(paths)} images were left out: {', '.join(sorted(others)[:_EXAMPLES])}{more}"]
    return ImageListing([path for path, kind in kinds.items() if not kind], notes)


def image_files(folder: Path) -> list[Path]:
    """The image files of a folder in natural order, see `list_images`. Raises SourceError if there are none."""
    return list_images(folder).files


def matching_paths(pattern: str) -> list[str]:
    """The paths that a pattern with *, ?, [...] matches; ** goes through sub-folders, each of them once.

    Links to folders are followed, but not round in a circle.
    """
    before, separator, after = pattern.partition(_ANY_DEPTH)
    if not separator or not after.startswith(os.sep):
        return glob.glob(pattern)
    starts = glob.glob(before) if before else ["."]
    found: dict[str, None] = {}
    for start in filter(os.path.isdir, starts):
        for folder in _folders_below(start):
            within = glob.escape(os.path.normpath(folder)) if before or folder != "." else ""
            found |= dict.fromkeys(matching_paths(os.path.join(within, after.lstrip(os.sep))))
    return list(found)


def result_names(files: Iterable[Path]) -> list[str]:
    """What the results of image files are called: their names without suffix, if these tell them apart and are fit to
    be printed; else their numbers."""
    stems = [file.stem for file in files]
    fits = all(shown(stem, LONGEST_NAME) == stem and len(stem.encode()) <= LONGEST_NAME for stem in stems)
    return stems if fits and len(set(stems)) == len(stems) else [f"{number:06d}" for number in range(len(stems))]


def in_natural_order(paths: Iterable[Path]) -> list[Path]:
    """Paths in natural order of their names (frame_2 before frame_10), folder after folder."""
    return sorted(paths, key=lambda path: (path.parent, _natural(path)))


def _in_brackets(notes: Sequence[str]) -> str:
    return f" ({notes[0]})" if notes else ""


def _kind(path: Path) -> str:
    """What an entry of a folder is, '' for a file."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return f"unreadable ({one_line(error)})"
    if stat.S_ISREG(mode):
        return ""
    return "a folder" if stat.S_ISDIR(mode) else "a pipe, socket or device"


def _folders_below(folder: str) -> Iterator[str]:
    seen = set()
    for place, folders, _ in os.walk(folder, followlinks=True):
        identity = os.path.realpath(place)
        if identity in seen:
            folders.clear()
            continue
        seen.add(identity)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield place


def _natural(path: Path) -> tuple:
    """Sort key in which runs of digits compare as numbers."""
    parts: list[tuple[int, int, str]] = []
    text, digits = "", ""
    for letter in path.name + "\0":
        if letter.isascii() and letter.isdigit():
            if text:
                parts.append((1, 0, text))
                text = ""
            digits += letter
        else:
            if digits:
                parts.append((0, int(digits), digits))
                digits = ""
            text += letter
    parts.append((1, 0, text))
    return tuple(parts)
