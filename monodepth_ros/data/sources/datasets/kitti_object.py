# SPDX-License-Identifier: Apache-2.0
"""KITTI's object benchmark: training/ and testing/ with image_2/, image_3/, calib/ and velodyne/, single images."""

from functools import partial
from pathlib import Path

import numpy as np

from monodepth_ros.data.pose_files.pose_file import are_rotations
from monodepth_ros.data.sources.datasets.choice import Place, with_parents
from monodepth_ros.data.sources.datasets.depth_files import LidarPoints
from monodepth_ros.data.sources.datasets.kitti import (
    checked_projection,
    choose_camera,
    place_of_camera,
    projection,
    read_projections,
)
from monodepth_ros.data.sources.image_sequence import ImageFiles, ImageSequence, first_size, image_files
from monodepth_ros.data.sources.image_times import DEFAULT_RATE, times_at_rate
from monodepth_ros.data.sources.source import SourceError, SourceOptions, given_camera
from monodepth_ros.geometry.camera import CalibrationError, CameraModel
from monodepth_ros.geometry.motion import invert
from monodepth_ros.limits import LARGEST_POSITION

SINGLE_IMAGES = (
    "single images without motion: depth is right, odometry and a training from neighbours in time have no meaning"
    " (--sources stereo or none)"
)


def find(folder: Path) -> Place | None:
    """The half of the benchmark (training/ or testing/) that a folder is, or belongs to as image_2/ or image_3/."""
    for root, names in with_parents(folder, 1):
        if names and names[0] not in ("image_2", "image_3"):
            continue
        if _folders(root) and any((root / "calib").glob("[0-9]*.txt")):
            return Place(root, names[0] if names else "")
    return None


def open_kitti_object(place: Place, options: SourceOptions = SourceOptions()) -> ImageSequence:
    """Open the left or right colour camera. Each image has a calibration of its own in calib/.

    Reference depth is that of velodyne/, projected. Images without a calibration file count as not calibrated, which a
    note says. Raises SourceError for a camera that is not there.
    """
    root = place.root
    folders = _folders(root)
    number = choose_camera(root, folders, options.camera or place.camera)
    files = image_files(folders[number])
    found = ImageFiles(
        files,
        times_at_rate(len(files), options.rate or DEFAULT_RATE),
        given_camera(options, partial(first_size, files)),
    )
    found.notes = [SINGLE_IMAGES]
    calibrations = [root / "calib" / f"{file.stem}.txt" for file in files]
    missing = sum(not path.is_file() for path in calibrations)
    if missing:
        found.notes.append(f"{missing} of {len(files)} images have no file in calib/: they count as not calibrated")
    if found.camera is None:
        found.camera_origin = "its file in calib/"
        found.camera_of = lambda index, size: _camera(calibrations[index], number, size)
    without: list[SourceError] = []
    for index, path in enumerate(calibrations):
        scan = root / "velodyne" / f"{files[index].stem}.bin"
        if scan.is_file() and path.is_file():
            try:
                found.depths[index] = LidarPoints(scan, 4, _T_camera_velodyne(path, number))
            except SourceError as error:
                without.append(error)
    if without:
        found.notes.append(f"{len(without)} of {len(files)} images have no reference depth: {without[0]}")
    source = ImageSequence(f"{root} (KITTI object, {folders[number].name}, {len(files)} images)", found, options)
    source.reference_crop = "garg"
    return source


def _folders(root: Path) -> dict[int, Path]:
    return {n: root / f"image_{n}" for n in (2, 3) if (root / f"image_{n}").is_dir()}


def _camera(path: Path, number: int, size: tuple[int, int]) -> CameraModel | None:
    """The camera of one image; CalibrationError for a file in another form."""
    if not path.is_file():
        return None
    try:
        P = projection(path, f"P{number}")
    except SourceError as error:
        raise CalibrationError(str(error)) from None
    return CameraModel(*size, K=P[:, :3], P=P)


def _T_camera_velodyne(path: Path, number: int) -> np.ndarray:
    """T_camera_velodyne (4, 4) of the rectified camera. Raises SourceError for a file in another form."""
    rows = read_projections(path)
    P = checked_projection(path, rows, f"P{number}")
    R, T = np.eye(4), np.eye(4)
    for transform, name, columns in ((R, "R0_rect", 3), (T, "Tr_velo_to_cam", 4)):
        if name not in rows or rows[name].size != 3 * columns:
            raise SourceError(f"calibration {path} has no row {name} of {3 * columns} numbers")
        transform[:3, :columns] = rows[name].reshape(3, columns)
        if not np.abs(transform).max() <= LARGEST_POSITION or not are_rotations(transform[None]).all():
            raise SourceError(f"calibration {path}: {name} is no rotation and translation")
    return invert(place_of_camera(P)) @ R @ T
