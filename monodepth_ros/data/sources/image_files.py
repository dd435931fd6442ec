# SPDX-License-Identifier: Apache-2.0
"""Single images, several images, and patterns such as 'images/*.png'."""

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from monodepth_ros.data.sources.image_folder import folder_calibration
from monodepth_ros.data.sources.image_listing import matching_paths, ordinary_images
from monodepth_ros.data.sources.image_sequence import (
    SUFFIXES,
    ImageFiles,
    ImageSequence,
    image_files,
    in_natural_order,
)
from monodepth_ros.data.sources.image_times import timed_images
from monodepth_ros.data.sources.source import SourceError, SourceOptions


def is_image(path: str) -> bool:
    """Whether a path names an image file, by its suffix."""
    return Path(path).suffix.lower() in SUFFIXES and not is_pattern(path) and not os.path.isdir(path)


def is_pattern(path: str) -> bool:
    """Whether a path that does not exist is a pattern with *, ? or [...]."""
    return glob.has_magic(path) and not os.path.exists(path)


def matches(pattern: str) -> list[Path]:
    """The paths that a pattern matches (** goes through sub-folders), in natural order. SourceError if none does."""
    found = [Path(path) for path in matching_paths(pattern)]
    if not found:
        raise SourceError(f"{pattern} matches no file")
    return in_natural_order(found)


def open_images(
    files: Sequence[str | Path], description: str, options: SourceOptions = SourceOptions()
) -> ImageSequence:
    """Open image files as one source.

    Files of one folder have the calibration and the times of that folder, as if the folder were given; others have the
    times of their names or of options.rate, in their order. Raises SourceError for a file that does not exist,
    CalibrationError for a bad calibration file.
    """
    paths = [Path(file) for file in files]
    missing = [path for path in paths if not os.path.lexists(path)]
    if missing:
        raise SourceError(f"{missing[0]} does not exist")
    paths, left_out = ordinary_images(paths)
    if not paths:
        raise SourceError(f"{description} holds no image that can be read: {left_out[0]}")
    folders = dict.fromkeys(path.parent for path in paths)
    camera, origin = folder_calibration(next(iter(folders)), options)
    chosen, places = set(paths), list(folders) if len(folders) == 1 else []
    timed = timed_images(image_files(paths[0].parent) if len(folders) == 1 else paths, places, options.rate)
    both = [(file, stamp) for file, stamp in zip(timed.files, timed.stamps_ns) if file in chosen]
    if len(both) < len(chosen):  # not the images of the folder that have times in their names
        timed = timed_images(paths, [], options.rate)
        both = list(zip(timed.files, timed.stamps_ns))
    notes = left_out + (timed.notes if len(both) > 1 else [])
    files, stamps_ns = [file for file, _ in both], [stamp for _, stamp in both]
    found = ImageFiles(files, stamps_ns, camera, origin, notes=notes)
    return ImageSequence(f"{description} ({len(files)} image{'s' if len(files) > 1 else ''})", found, options)


def whole_folder(file: str, files: Sequence[str]) -> str:
    """The folder of an image file of `files`, if they hold all images of that folder (as the shell expands *.png).

    Raises SourceError if they do not.
    """
    folder = Path(file).parent
    given = {Path(other).name for other in files if Path(other).parent == folder}
    if not os.path.isfile(file):
        raise SourceError(f"{file} does not exist")
    if {path.name for path in image_files(folder)} <= given:
        return str(folder)
    raise SourceError(f"{file} is a part of {folder}: give the folder, or a pattern in quotes such as '{folder}/*.png'")
