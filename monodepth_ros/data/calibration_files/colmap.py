# SPDX-License-Identifier: Apache-2.0
"""COLMAP's cameras.txt: CAMERA_ID MODEL WIDTH HEIGHT PARAMETERS...

COLMAP has the centre of the first pixel at (1/2, 1/2), so half a pixel is taken off its principal points.
"""

import re

from monodepth_ros.data.calibration_files.file_content import FileContent, numbers, whole_number
from monodepth_ros.data.calibration_files.stated_camera import StatedCamera, fisheye_coefficients, intrinsics
from monodepth_ros.geometry.camera import CalibrationError

MODELS = {  # focal lengths, distortion model, positions of the parameters after the principal point in its D
    "SIMPLE_PINHOLE": (1, "none", ()),
    "PINHOLE": (2, "none", ()),
    "SIMPLE_RADIAL": (1, "plumb_bob", (0,)),
    "RADIAL": (1, "plumb_bob", (0, 1)),
    "OPENCV": (2, "plumb_bob", (0, 1, 2, 3)),
    "FULL_OPENCV": (2, "rational_polynomial", (0, 1, 2, 3, 4, 5, 6, 7)),
    "OPENCV_FISHEYE": (2, "equidistant", (0, 1, 2, 3)),
    "SIMPLE_FISHEYE": (1, "equidistant", ()),
    "FISHEYE": (2, "equidistant", ()),
    "SIMPLE_RADIAL_FISHEYE": (1, "equidistant", (0,)),
    "RADIAL_FISHEYE": (1, "equidistant", (0, 1)),
    "FOV": (2, "fov", (0,)),
}
LINE = re.compile(r"\d{1,9}\s+[A-Z][A-Z_]+\s+\d{1,9}\s+\d{1,9}(\s+[-+.\deE]+)+", re.ASCII)


def recognises(content: FileContent) -> bool:
    """Whether every line is a camera or a comment."""
    lines = _lines(content)
    return bool(lines) and all(LINE.fullmatch(line) for line in lines)


def read(content: FileContent) -> list[StatedCamera]:
    """The cameras of the file, named by their numbers."""
    return [_camera(*line.split()) for line in _lines(content)]


def _lines(content: FileContent) -> list[str]:
    lines = (line.strip() for line in content.text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _camera(name: str, kind: str, width: str, height: str, *parameters: str) -> StatedCamera:
    if kind not in MODELS:
        raise CalibrationError(f"camera {name} has model {kind}, expected one of {', '.join(MODELS)}")
    focals, model, places = MODELS[kind]
    values = numbers(list(parameters), f"camera {name}", focals + 2 + len(places)).tolist()
    fx, fy = values[0], values[focals - 1]
    cx, cy = (centre - 0.5 for centre in values[focals : focals + 2])
    D = values[focals + 2 :]
    if model == "equidistant":
        D = fisheye_coefficients(D)
    elif model == "plumb_bob":
        D = [*D, *[0.0] * (4 - len(D))]
    size = whole_number(int(width), "width"), whole_number(int(height), "height")
    return StatedCamera(name, intrinsics(fx, fy, cx, cy), D, model, size, remark=kind)
