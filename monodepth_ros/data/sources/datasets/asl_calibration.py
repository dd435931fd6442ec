# SPDX-License-Identifier: Apache-2.0
"""Calibrations beside the cameras of EuRoC and TUM VI: sensor.yaml and Kalibr's camchain."""

import reprlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from monodepth_ros.data.calibration import read_calibration
from monodepth_ros.data.calibration_files.file_content import load
from monodepth_ros.geometry.camera import CalibrationError, CameraModel
from monodepth_ros.geometry.motion import invert
from monodepth_ros.limits import LARGEST_POSITION


class AslCamera(NamedTuple):
    """A camera, and T_body_camera (4, 4), None if the file does not state it. origin: the file."""

    camera: CameraModel
    T_body_camera: np.ndarray | None
    origin: str


def read_sensor(path: Path) -> AslCamera:
    """The camera of a sensor.yaml. Raises CalibrationError for another content."""
    T = _load(path).get("T_BS")
    return AslCamera(read_calibration(path), None if T is None else _transform(path, T), str(path))


def read_camchain(path: Path, name: str) -> AslCamera | None:
    """The camera `name` (cam0, cam1) of a file of Kalibr, None if it is not in it. Raises CalibrationError."""
    content = _load(path).get(name)
    if not isinstance(content, dict):
        return None
    T = content.get("T_cam_imu")
    return AslCamera(read_calibration(f"{path}#{name}"), None if T is None else invert(_transform(path, T)), str(path))


def read_T_BS(path: Path) -> np.ndarray:
    """T_body_sensor (4, 4) of a sensor.yaml; the identity if there is none. Raises CalibrationError."""
    T = _load(path).get("T_BS") if path.is_file() else None
    return np.eye(4) if T is None else _transform(path, T)


def _load(path: Path) -> dict[str, Any]:
    content = load(path)
    if not content.tree:
        raise CalibrationError(f"{path} {content.problem or f'is {content.looks}'}: expected the keys of a calibration")
    return content.tree


def _transform(path: Path, value: Any) -> np.ndarray:
    data = value.get("data") if isinstance(value, dict) else value
    try:
        T = np.array(data, np.float64).reshape(4, 4)
    except (TypeError, ValueError, OverflowError):
        raise CalibrationError(f"{path}: {reprlib.repr(value)}: expected 4x4 numbers") from None
    is_rotation = np.isfinite(T).all() and np.abs(T[:3, :3] @ T[:3, :3].T - np.eye(3)).max() < 1e-3
    if not is_rotation or np.linalg.det(T[:3, :3]) < 0 or np.abs(T[:3, 3]).max() > LARGEST_POSITION:
        raise CalibrationError(f"{path}: {T.tolist()}: expected a rigid transform")
    return T
