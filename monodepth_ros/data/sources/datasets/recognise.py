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
    for reader in READERS:
        place = reader.find(folder)
        if place is not None:
            return reader.open(place, options)
    return None


def folder_of_files(folder: Path) -> Path:
    """The folder with the files that a source at `folder` reads: the root of its data set, or itself."""
    for reader in READERS:
        try:
            place = reader.find(folder)
        except SourceError:
            continue
        if place is not None:
            return place.root
    return folder


def contained(folder: Path) -> Path | None:
    """The only sub-folder that is a data set or holds images; None if there is none.

    An archive often unpacks into a folder of its own name, and images lie in a folder such as images/. Raises
    SourceError for several such sub-folders, which its message names.
    """
    below = sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    found = [entry for entry in below if any(reader.find(entry) is not None for reader in READERS)]
    found = found or [entry for entry in below if _holds_images(entry)]
    if len(found) > 1:
        names = ", ".join(str(entry) for entry in found[:LISTED]) + (", ..." if len(found) > LISTED else "")
        raise SourceError(f"{folder} holds {len(found)} recordings: give one of {names}")
    return found[0] if found else None


def _holds_images(folder: Path) -> bool:
    try:
        return any(entry.suffix.lower() in SUFFIXES for entry in folder.iterdir())
    except OSError:
        return False
