# SPDX-License-Identifier: Apache-2.0
"""Calibration files in the YAML format of ROS's camera_calibration and camera_info_manager."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

from monodepth_ros.geometry.camera import CalibrationError, CameraModel

MATRICES = {  # key in the file: (field of CameraModel, number of values; None: depends on the distortion model)
    "camera_matrix": ("K", 9),
    "distortion_coefficients": ("D", None),
    "rectification_matrix": ("R", 9),
    "projection_matrix": ("P", 12),
}


def read_calibration(path) -> CameraModel:
    """The camera of a calibration file.

    Raises CalibrationError, with the file and the key in its message, for a file that is missing or not YAML, for
    missing keys, wrong lengths and impossible values.
    """
    path = Path(path)
    content = _load(path)
    try:
        size = [_whole_number(content, key) for key in ("image_width", "image_height")]
        model = _get(content, "distortion_model")
        if not isinstance(model, str):
            raise CalibrationError(f"distortion_model is {model!r}, expected a name")
        matrices = {field: _numbers(content, key, count) for key, (field, count) in MATRICES.items()}
        return CameraModel(*size, distortion_model=model, **matrices)
    except CalibrationError as error:
        raise CalibrationError(f"calibration file {path}: {error}") from None


def read_intrinsics(path) -> CameraModel:
    """The camera of a calibration file whose camera_matrix is not zero; CalibrationError as `read_calibration`."""
    camera = read_calibration(path)
    if not camera.is_calibrated:
        raise CalibrationError(f"calibration file {path}: camera_matrix is zero, expected a calibrated camera")
    return camera


def write_calibration(path, camera: CameraModel, name: str, comments: Sequence[str] = ()):
    """Write a calibration file that `read_calibration` reads as an equal model, to the last bit.

    comments: lines for its head, which no reader of YAML sees. Raises CalibrationError if the file cannot be written.
    """
    content = {"image_width": camera.width, "image_height": camera.height, "camera_name": name}
    for key, (field, _) in MATRICES.items():
        if field == "D":
            content["distortion_model"] = camera.distortion_model
        array = np.atleast_2d(getattr(camera, field))
        content[key] = {"rows": array.shape[0], "cols": array.shape[1], "data": array.ravel().tolist()}
    text = "".join(f"# {' '.join(line.split())}\n" for line in comments)
    text += yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=100)
    try:
        Path(path).write_text(text)
    except OSError as error:
        raise CalibrationError(f"calibration file {path} cannot be written: {error.strerror}") from None


def _load(path: Path) -> dict:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CalibrationError(f"calibration file {path} does not exist: check the path") from None
    except UnicodeDecodeError:
        raise CalibrationError(f"calibration file {path} is not text, expected YAML") from None
    except OSError as error:
        raise CalibrationError(f"calibration file {path} cannot be read: {error.strerror}") from None
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise CalibrationError(
            f"calibration file {path} is not YAML{where}, expected camera_calibration's format"
        ) from None
    if not isinstance(content, dict):
        raise CalibrationError(
            f"calibration file {path} holds {type(content).__name__}, expected keys such as image_width"
        )
    return content


def _get(content: dict, key: str):
    if key not in content:
        raise CalibrationError(f"{key} is missing, found {', '.join(map(str, content)) or 'no keys'}")
    return content[key]


def _whole_number(content: dict, key: str) -> int:
    value = _get(content, key)
    if isinstance(value, bool) or not isinstance(value, int):
        raise CalibrationError(f"{key} is {value!r}, expected a whole number of pixels")
    return value


def _numbers(content: dict, key: str, count: int | None) -> np.ndarray:
    matrix = _get(content, key)
    data = matrix.get("data") if isinstance(matrix, dict) else None
    if not isinstance(data, list):
        raise CalibrationError(f"{key} is {matrix!r:.60}, expected rows, cols and data")
    try:
        values = np.array([float(value) for value in data])  # PyYAML reads 1e-05 as text
    except (TypeError, ValueError):
        raise CalibrationError(f"{key} has data {data!r:.60}, expected numbers") from None
    if count is not None and values.size != count:
        raise CalibrationError(f"{key} has {values.size} numbers, expected {count}")
    if not np.isfinite(values).all():
        raise CalibrationError(f"{key} has data {data!r:.60}, expected finite numbers")
    return values
