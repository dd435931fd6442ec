# SPDX-License-Identifier: Apache-2.0
"""Cameras and calibration files of KITTI, shared by its raw drives, its odometry sequences and its benchmarks."""

from pathlib import Path

import numpy as np

from monodepth_ros.data.sources.image_sequence import first_size, image_files
from monodepth_ros.data.sources.source import SourceError, SourceOptions, given_camera
from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.calibration_checks import check_intrinsics, checked_matrix
from monodepth_ros.geometry.camera import CalibrationError, CameraModel
from monodepth_ros.input_file import read_text
from monodepth_ros.limits import LARGEST_CALIBRATION, LARGEST_POSITION

LEFT_GRAY, RIGHT_GRAY, LEFT, RIGHT = range(4)


def choose_camera(folder: Path, folders: dict[int, Path], name: str) -> int:
    """Number of the camera called `name`.

    folders: sub-folders with images, by camera number. name: 'left' ('' too) or 'right', which prefer colour over grey;
    a number; or the name of a sub-folder. Raises SourceError for a camera that the folder does not have.
    """
    for wanted, order in (("left", (LEFT, LEFT_GRAY)), ("right", (RIGHT, RIGHT_GRAY))):
        if (name or "left") == wanted:
            for number in order:
                if number in folders:
                    return number
    if not name:
        return min(folders)
    for number, path in folders.items():
        if name in (str(number), path.name):
            return number
    there = ", ".join(path.name for path in folders.values())
    raise SourceError(f"{folder} has no camera {name!r}: give --camera left, right, or one of {there}")


def read_projections(path: Path) -> dict[str, np.ndarray]:
    """Rows of numbers of a KITTI calibration file ('P0: ...') by name; unnamed rows are called P0, P1, ...

    Raises SourceError if the file cannot be read.
    """
    rows = {}
    try:
        lines = [line for line in read_text(path, LARGEST_CALIBRATION, exact=True).splitlines() if line.strip()]
    except MonodepthError as error:
        raise SourceError(f"calibration {error}") from None
    for index, line in enumerate(lines):
        name, separator, numbers = line.partition(":")
        if not separator:
            name, numbers = f"P{index}", line
        try:
            rows[name.strip()] = np.array([float(number) for number in numbers.split()])
        except ValueError:
            continue  # calib_time: 09-Jan-2012 13:57:47
    return rows


def projection(path: Path, name: str) -> np.ndarray:
    """The projection `name` (3, 4) of a KITTI calibration file. Raises SourceError if the file has no usable one."""
    return checked_projection(path, read_projections(path), name)


def checked_projection(path: Path, rows: dict[str, np.ndarray], name: str) -> np.ndarray:
    """The row `name` of the file `path` as a projection (3, 4). Raises SourceError if it is missing or is none."""
    if name not in rows or rows[name].size != 12:
        raise SourceError(f"calibration {path} has no row {name} of 12 numbers: its rows are {', '.join(rows)}")
    P = rows[name].reshape(3, 4)
    try:
        check_intrinsics(name, checked_matrix(name, P, 3, 4)[:, :3])
    except CalibrationError as error:
        raise SourceError(f"calibration {path}: {error}") from None
    if np.abs(place_of_camera(P)).max() > LARGEST_POSITION:
        raise SourceError(f"calibration {path}: {name} places the camera beyond {LARGEST_POSITION:g} m")
    return P


def camera_from(P: np.ndarray | None, folder: Path, options: SourceOptions) -> CameraModel | None:
    """The camera of rectified images: the calibration in `options`, or else P with the size of the first image."""

    def image_size() -> tuple[int, int]:
        return first_size(image_files(folder))

    given = given_camera(options, image_size)
    return given if given is not None or P is None else CameraModel(*image_size(), K=P[:, :3], P=P)


def place_of_camera(P: np.ndarray) -> np.ndarray:
    """T_camera0_camera (4, 4) of a rectified camera, from P = K [I | t] with t its negative position."""
    T = np.eye(4)
    T[:3, 3] = -np.linalg.solve(P[:, :3], P[:, 3])
    return T
