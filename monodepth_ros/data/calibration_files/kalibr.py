# SPDX-License-Identifier: Apache-2.0
"""Kalibr's camchain (several cameras) and the sensor.yaml of EuRoC's layout (one), which share their keys."""

from typing import Any

from monodepth_ros.data.calibration_files.file_content import FileContent, Tree, get, image_size, numbers
from monodepth_ros.data.calibration_files.stated_camera import StatedCamera, fisheye_coefficients, intrinsics
from monodepth_ros.foreign_text import shown
from monodepth_ros.geometry.camera import CalibrationError

PARAMETERS = {"pinhole": 0, "omni": 1, "eucm": 2, "ds": 2}  # before fu, fv, pu, pv
SIZE_KEY = "resolution: [width, height]"


def recognises(content: FileContent) -> bool:
    """Whether cameras with camera_model and intrinsics are there."""
    return bool(_cameras(content.tree))


def read(content: FileContent) -> list[StatedCamera]:
    """The cameras of a camchain, or that of a sensor.yaml."""
    return [_camera(name, tree) for name, tree in _cameras(content.tree).items()]


def _cameras(tree: Tree) -> dict[str, Tree]:
    def is_camera(value: Any) -> bool:
        return isinstance(value, dict) and "camera_model" in value and "intrinsics" in value

    if is_camera(tree):
        return {"camera": tree}
    return {name: value for name, value in tree.items() if is_camera(value)}


def _camera(name: str, tree: Tree) -> StatedCamera:
    projection = str(get(tree, "camera_model"))
    if projection not in PARAMETERS:
        raise CalibrationError(f"{name}: camera_model is '{projection}', expected {', '.join(PARAMETERS)}")
    before = PARAMETERS[projection]
    values = numbers(get(tree, "intrinsics"), f"{name}: intrinsics", before + 4).tolist()
    distortion = str(tree.get("distortion_model") or "none")
    given = tree.get("distortion_coeffs", tree.get("distortion_coefficients"))
    D = numbers([] if given is None else given, f"{name}: distortion").tolist()
    if not D and distortion != "none":
        raise CalibrationError(f"{name}: distortion_model is '{shown(distortion)}' without distortion_coeffs")
    if distortion == "equidistant":
        D = fisheye_coefficients(D)
    if projection != "pinhole":
        if any(D) and (projection, distortion) != ("omni", "radtan"):
            raise CalibrationError(f"{name}: {projection} with {distortion} distortion is not read, use none")
        D, distortion = [*values[:before], *(D if projection == "omni" else ())], projection
    return StatedCamera(
        name,
        intrinsics(*values[before:]),
        D,
        distortion,
        image_size(tree["resolution"], f"{name}: resolution") if "resolution" in tree else None,
        size_keys=SIZE_KEY,
        remark=str(tree.get("rostopic", "")),
    )
