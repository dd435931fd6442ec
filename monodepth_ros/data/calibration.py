# SPDX-License-Identifier: Apache-2.0
"""Calibration files: those of many tools are read, camera_calibration's YAML is written."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import yaml

from monodepth_ros.data.calibration_files.camera_calibration import MATRICES
from monodepth_ros.data.calibration_files.file_content import load
from monodepth_ros.data.calibration_files.formats import stated_cameras
from monodepth_ros.data.calibration_files.stated_camera import StatedCamera
from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import CalibrationError, CameraModel
from monodepth_ros.output_file import write_file

ImageSize = Callable[[], tuple[int, int]]
"""The (width, height) [pixels] of the images, found when it is needed."""


def read_calibration(path, image_size: ImageSize | None = None) -> CameraModel:
    """The camera of a calibration file in any of the formats of `data.calibration_files`, recognised by its content.

    path: FILE, or FILE#NAME for one camera of several. image_size: for a file that states none.
    Raises CalibrationError, with the file and the key in its message, for a file that is missing or of no known format,
    for missing keys, wrong lengths and impossible values, and if the file holds several cameras and none was named.
    """
    file, name = split_choice(path)
    content = load(file)
    try:
        camera = _chosen(stated_cameras(content), name, file)
        size = image_size() if camera.size is None and image_size is not None else None
        return camera.model(size)
    except CalibrationError as error:
        message = str(error)
        verb = "" if message.startswith(("is ", "holds ")) else ":"
        raise CalibrationError(f"calibration file {path}{verb} {message}") from None


def split_choice(path) -> tuple[Path, str]:
    """The file and the name of the camera of FILE#NAME; '' without a name."""
    text = str(path)
    if "#" in text and not os.path.exists(text):
        file, _, name = text.rpartition("#")
        return Path(file), name
    return Path(text), ""


def _chosen(cameras: list[StatedCamera], name: str, file: Path) -> StatedCamera:
    found = [camera for camera in cameras if camera.name == name] if name else cameras
    if len(found) == 1:
        return found[0]
    listed = ", ".join(map(str, cameras))
    if not found:
        raise CalibrationError(f"holds no camera '{name}', found {listed}")
    raise CalibrationError(f"holds {len(cameras)} cameras ({listed}): name one, as in {file}#{cameras[0].name}")


def calibration_note(path) -> str:
    """What a user should know of how a calibration file is read; '' for nothing. Raises as `read_calibration`."""
    file, name = split_choice(path)
    return _chosen(stated_cameras(load(file)), name, file).note


def read_intrinsics(path, image_size: ImageSize | None = None) -> CameraModel:
    """As `read_calibration`; CalibrationError for a file whose camera_matrix is zero, too."""
    camera = read_calibration(path, image_size)
    if not camera.is_calibrated:
        raise CalibrationError(f"calibration file {path}: camera_matrix is zero, expected a calibrated camera")
    return camera


def write_calibration(path, camera: CameraModel, name: str, comments: Sequence[str] = ()):
    """Write a file of `calibration_text`. Raises CalibrationError if it cannot be written."""
    try:
        write_file(path, calibration_text(camera, name, comments))
    except MonodepthError as error:
        raise CalibrationError(f"calibration file {error}") from None


def calibration_text(camera: CameraModel, name: str, comments: Sequence[str] = ()) -> str:
    """A calibration file that `read_calibration` reads as an equal model, to the last bit.

    comments: lines for its head, which no reader of YAML sees.
    """
    content = {"image_width": camera.width, "image_height": camera.height, "camera_name": name}
    for key, (field, _) in MATRICES.items():
        if field == "D":
            content["distortion_model"] = camera.distortion_model
        array = np.atleast_2d(getattr(camera, field))
        content[key] = {"rows": array.shape[0], "cols": array.shape[1], "data": array.ravel().tolist()}
    text = "".join(f"# {' '.join(line.split())}\n" for line in comments)
    return text + yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=100)
