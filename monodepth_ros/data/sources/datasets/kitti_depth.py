# SPDX-License-Identifier: Apache-2.0
"""KITTI's depth benchmark: the selections of single images, and train/ or val/ with the depth of raw drives."""

import re
from functools import partial
from pathlib import Path

import numpy as np

from monodepth_ros.data.sources.datasets.choice import Place, with_parents
from monodepth_ros.data.sources.datasets.depth_files import DepthPng
from monodepth_ros.data.sources.datasets.kitti_object import SINGLE_IMAGES
from monodepth_ros.data.sources.image_sequence import ImageFiles, ImageSequence, first_size, image_files
from monodepth_ros.data.sources.image_times import DEFAULT_RATE, times_at_rate
from monodepth_ros.data.sources.source import SourceError, SourceOptions, given_camera
from monodepth_ros.geometry.camera import CalibrationError, CameraModel
from monodepth_ros.input_file import read_text
from monodepth_ros.limits import LARGEST_CALIBRATION


def find(folder: Path) -> Place | None:
    """The selection (image/, intrinsics/, groundtruth_depth/) that a folder is, or belongs to as image/."""
    for root, names in with_parents(folder, 1):
        if names in ((), ("image",)) and (root / "image").is_dir() and (root / "intrinsics").is_dir():
            return Place(root)
    return None


def open_kitti_depth(place: Place, options: SourceOptions = SourceOptions()) -> ImageSequence:
    """Open a selection. Each image has its intrinsics in a file; reference depth is groundtruth_depth/, if there.

    The images of both cameras are one list: they are of different moments and form no stereo pairs. Raises SourceError
    for the name of a camera.
    """
    root = place.root
    if options.camera:
        raise SourceError(f"{root} has single images of several cameras, no camera {options.camera!r}: omit --camera")
    files = image_files(root / "image")
    found = ImageFiles(
        files,
        times_at_rate(len(files), options.rate or DEFAULT_RATE),
        given_camera(options, partial(first_size, files)),
    )
    found.notes = [SINGLE_IMAGES]
    if found.camera is None:
        found.camera_origin = "its file in intrinsics/"
        found.camera_of = lambda index, size: _camera(root / "intrinsics" / f"{files[index].stem}.txt", size)
    for index, file in enumerate(files):
        depth = root / "groundtruth_depth" / file.name.replace("_sync_image_", "_sync_groundtruth_depth_")
        if depth.is_file():
            found.depths[index] = DepthPng(depth)
    return ImageSequence(f"{root} (KITTI depth benchmark, {len(files)} images)", found, options)


def _camera(path: Path, size: tuple[int, int]) -> CameraModel | None:
    if not path.is_file():
        return None
    try:
        K = np.array([float(word) for word in read_text(path, LARGEST_CALIBRATION).split()]).reshape(3, 3)
    except CalibrationError:
        raise
    except ValueError:  # also of a file that cannot be read
        raise CalibrationError(f"intrinsics {path} are not nine numbers") from None
    try:
        return CameraModel(*size, K=K)
    except CalibrationError as error:
        raise CalibrationError(f"intrinsics {path}: {error}") from None


def depth_of_drive(drive: Path) -> Path | None:
    """The proj_depth/groundtruth/ of a raw drive: in it, or in the depth benchmark's train/ or val/ above."""
    name = drive.resolve().name
    if (drive / "proj_depth" / "groundtruth").is_dir():
        return drive / "proj_depth" / "groundtruth"
    for above in drive.resolve().parents[:3]:
        for between in ("", "data_depth_annotated", "depth", "data_depth"):
            for half in ("train", "val"):
                found = above / between / half / name / "proj_depth" / "groundtruth"
                if found.is_dir():
                    return found
    return None


def raw_drive(folder: Path) -> Path | None:
    """The raw drive with the images of a folder that holds only proj_depth/; None if the folder is none.

    Raises SourceError if the images are not found in the same folder, or as DATE/DRIVE beside or above it.
    """
    if not any(folder.glob("proj_depth/groundtruth/image_0[0-3]")) or any(folder.glob("image_*")):
        return None
    name = folder.resolve().name
    date = re.match(r"\d{4}_\d{2}_\d{2}", name)
    for above in folder.resolve().parents[:4]:
        for between in ("", "raw", "kitti_raw", "raw_data"):
            found = above / between / (date.group() if date else "") / name
            if any(found.glob("image_0[0-3]/data")):
                return found
    raise SourceError(
        f"{folder} holds depth but no images: put {name} of KITTI's raw data beside it, or proj_depth/ into that folder"
    )
