# SPDX-License-Identifier: Apache-2.0
"""Which data set a folder is, or belongs to, or contains."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from monodepth_ros.data.sources.datasets import (
    euroc,
    kitti_depth,
    kitti_object,
    kitti_odometry,
    kitti_raw,
    nuscenes,
    pandaset,
    tum_rgbd,
)
from monodepth_ros.data.sources.datasets.choice import Place
from monodepth_ros.data.sources.image_sequence import SUFFIXES, ImageSequence
from monodepth_ros.data.sources.source import SourceError, SourceOptions

NAMES = "KITTI, TUM RGB-D, EuRoC, TUM VI, nuScenes, PandaSet"
LISTED = 5  # sub-folders that a message names


class Reader(NamedTuple):
    """One kind of data set: how its folders are found, and how they are opened."""

    find: Callable[[Path], Place | None]
    open: Callable[[Place, SourceOptions], ImageSequence]


# The first that fits: KITTI's object benchmark has the folders of an odometry sequence and more.
READERS = (
    Reader(kitti_raw.find, kitti_raw.open_kitti_raw),
    Reader(kitti_object.find, kitti_object.open_kitti_object),
    Reader(kitti_odometry.find, kitti_odometry.open_kitti_odometry),
    Reader(kitti_depth.find, kitti_depth.open_kitti_depth),
    Reader(euroc.find, euroc.open_euroc),
    Reader(tum_rgbd.find, tum_rgbd.open_tum_rgbd),
    Reader(nuscenes.find, nuscenes.open_nuscenes),
    Reader(pandaset.find, pandaset.open_pandaset),
)


def open_data_set(folder: Path, options: SourceOptions) -> ImageSequence | None:
    """Open the data set that a folder is or belongs to; None if it is none. Raises what the reader raises."""
    found = _find(folder)
    return None if found is None else found[0].open(found[1], options)


def folder_of_files(folder: Path) -> Path:
    """The folder with the files that a source at `folder` reads: the root of its data set, or itself."""
    try:
        found = _find(folder)
    except SourceError:
        return folder
    return folder if found is None else found[1].root


def _find(folder: Path) -> tuple[Reader, Place] | None:
    for reader in READERS:
        try:
            place = reader.find(folder)
        except OSError:  # a folder beside or above it that must not be read
            continue
        if place is not None:
            return reader, place
    return None


def contained(folder: Path) -> Path | None:
    """The only sub-folder that is a data set or holds images; None if there is none.

    Archives unpack into folders of their own names, also one below the other, and images lie in images/. Raises
    SourceError for several such sub-folders, which its message names.
    """
    below = _folders_in(folder)
    found = [entry for entry in below if _find(entry) is not None]
    found = found or [entry for entry in below if _holds_images(entry)]
    found = found or [entry for above in below for entry in _folders_in(above) if _find(entry) is not None]
    if len(found) > 1:
        names = ", ".join(str(entry) for entry in found[:LISTED]) + (", ..." if len(found) > LISTED else "")
        raise SourceError(f"{folder} holds {len(found)} recordings: give one of {names}")
    return found[0] if found else None


def _folders_in(folder: Path) -> list[Path]:
    try:
        entries = sorted(entry for entry in folder.iterdir() if entry.is_dir())
    except OSError:
        return []
    return [entry for entry in entries if not entry.name.startswith((".", "__MACOSX"))]


def _holds_images(folder: Path) -> bool:
    try:
        return any(entry.suffix.lower() in SUFFIXES for entry in folder.iterdir())
    except OSError:
        return False
