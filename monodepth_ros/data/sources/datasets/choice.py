# SPDX-License-Identifier: Apache-2.0
"""The place of a data set that a folder belongs to, and the camera that a user names there."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from monodepth_ros.data.sources.source import SourceError


class Place(NamedTuple):
    """The root of a data set, and the camera whose sub-folder was given; '' for the root itself."""

    root: Path
    camera: str = ""


def with_parents(folder: Path, levels: int) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """The folder and the `levels` above it, each with the names that lead from there back to the folder."""
    full = folder.resolve()
    yield folder, ()
    for level in range(1, levels + 1):
        if len(full.parts) > level:
            yield full.parents[level - 1], full.parts[-level:]


def choose(root: Path, names: Sequence[str], given: str, default: str) -> str:
    """The camera called `given`, or the default without a name. Raises SourceError for a name that is not there."""
    if not given:
        return default
    for name in names:
        if given.lower() == name.lower():
            return name
    raise SourceError(f"{root} has no camera {given!r}: give --camera {', '.join(names)}")
