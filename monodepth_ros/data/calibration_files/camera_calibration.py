# SPDX-License-Identifier: Apache-2.0
"""Files of ROS's camera_calibration and camera_info_manager: YAML, the older ost.txt, and a printed camera_info."""

import re

import numpy as np

from monodepth_ros.data.calibration_files.file_content import FileContent, Tree, get, numbers, whole_number
from monodepth_ros.data.calibration_files.stated_camera import StatedCamera, check_unnamed
from monodepth_ros.geometry.camera import CalibrationError

MATRICES = {  # key in the file: (field of CameraModel, number of values; None: depends on the distortion model)
    "camera_matrix": ("K", 9),
    "distortion_coefficients": ("D", None),
    "rectification_matrix": ("R", 9),
    "projection_matrix": ("P", 12),
}
SECTIONS = {"camera matrix": ("K", 9), "distortion": ("D", None), "rectification": ("R", 9), "projection": ("P", 12)}


def is_yaml(content: FileContent) -> bool:
    """Whether this is the YAML of camera_calibration."""
    return any(key in content.tree for key in ("rectification_matrix", "projection_matrix")) or (
        "camera_name" in content.tree and "camera_matrix" in content.tree
    )


def read_yaml(content: FileContent) -> list[StatedCamera]:
    """The camera of a file in camera_calibration's YAML; without distortion_model, that of the older versions."""
    tree = content.tree
    size = tuple(whole_number(get(tree, key), key) for key in ("image_width", "image_height"))
    model = tree.get("distortion_model", "plumb_bob")
    if model is not None and not isinstance(model, str):
        raise CalibrationError(f"distortion_model is {model!r}, expected a name")
    matrices = {field: numbers(get(tree, key), key, count) for key, (field, count) in MATRICES.items()}
    if "distortion_model" not in tree:
        check_unnamed(matrices["D"])
    return [_camera(str(tree.get("camera_name", "camera")), size, model or "", matrices)]


def is_camera_info(content: FileContent) -> bool:
    """Whether this is a sensor_msgs/CameraInfo, as `ros2 topic echo` prints it."""
    tree = {key.lower() for key in content.tree}
    return {"k", "p", "d", "width", "height"} <= tree


def read_camera_info(content: FileContent) -> list[StatedCamera]:
    """The camera of a printed camera_info."""
    tree = {key.lower(): value for key, value in content.tree.items()}
    if any(tree.get(name, 0) not in (0, 1) for name in ("binning_x", "binning_y")) or _crops(tree):
        raise CalibrationError("camera_info has binning or a roi: write the calibration of the whole image")
    size = tuple(whole_number(tree[key], key) for key in ("width", "height"))
    matrices = {
        name: numbers(tree.get(name.lower(), [0.0] * (count or 0)), name.lower(), count)
        for name, count in (("K", 9), ("D", None), ("R", 9), ("P", 12))
    }
    return [_camera("camera", size, str(tree.get("distortion_model", "")), matrices)]


def _crops(tree: Tree) -> bool:
    roi = tree.get("roi")
    if not isinstance(roi, dict):
        return False
    whole = (0, 0, tree.get("width"), tree.get("height"))
    stated = tuple(roi.get(key) or 0 for key in ("x_offset", "y_offset", "width", "height"))
    return stated not in ((0, 0, 0, 0), whole)


def is_ost(content: FileContent) -> bool:
    """Whether this is an ost.txt."""
    return re.search(r"^\[image\]\s*$", content.text, re.M) is not None and "camera matrix" in content.text


def read_ost(content: FileContent) -> list[StatedCamera]:
    """The camera of an ost.txt; its sections come one camera after the other in a stereo pair's file."""
    size: dict[str, int] = {}
    cameras: list[StatedCamera] = []
    name, heading, rows = "camera", "", {}

    def finish() -> None:
        if rows:
            matrices = {field: _section(rows, title, count) for title, (field, count) in SECTIONS.items()}
            check_unnamed(matrices["D"], "an ost.txt cannot say that they are a fisheye's, use the ost.yaml beside it")
            for key in ("width", "height"):
                if key not in size:
                    raise CalibrationError(f"{key} is missing below [image]")
            cameras.append(_camera(name, (size["width"], size["height"]), "plumb_bob", matrices))

    for line in (line.strip() for line in content.text.splitlines()):
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            if line != "[image]":
                finish()
                name, rows = line.strip("[]"), {}
            heading = ""
        elif re.match(r"[a-z]", line):
            heading = line
        elif heading in ("width", "height"):
            size[heading] = whole_number(_row(line, heading)[0], heading)
        elif heading in SECTIONS:
            rows.setdefault(heading, []).extend(_row(line, heading))
    finish()
    return cameras


def _row(line: str, heading: str) -> list[float]:
    return numbers(line.split(), heading).tolist()


def _section(rows: dict[str, list[float]], title: str, count: int | None) -> np.ndarray:
    return numbers(get(rows, title), title, count)


def _camera(name: str, size: tuple[int, int], model: str, matrices: dict[str, np.ndarray]) -> StatedCamera:
    K, R, P = (matrices[field].reshape(shape) for field, shape in (("K", (3, 3)), ("R", (3, 3)), ("P", (3, 4))))
    return StatedCamera(name, K, matrices["D"].tolist(), model, size, R=R, P=P)
