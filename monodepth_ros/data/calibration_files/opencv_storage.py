# SPDX-License-Identifier: Apache-2.0
"""Camera matrix and coefficients under the names that programs with OpenCV give them, in its YAML, XML or JSON.

Of a stereo pair's files the matrices end with 1 and 2 or left and right, and R1, P1 ... rectify.
"""

import re

import numpy as np

from monodepth_ros.data.calibration_files.file_content import (
    FileContent,
    Tree,
    image_size,
    number,
    numbers,
    whole_number,
)
from monodepth_ros.data.calibration_files.stated_camera import (
    StatedCamera,
    check_unnamed,
    fisheye_coefficients,
    intrinsics,
)
from monodepth_ros.geometry.camera import CalibrationError

MATRIX = "cameramatrix|intrinsicmatrix|intrinsics|intrinsic|cameraintrinsics|mtx|k|m"
DISTORTION = "distortioncoefficients|distortioncoeffs|distcoeffs|distcoeff|distcoefs|distortion|dist|coeffs|d"
SIZES = "imagesize|imgsize|size|resolution"
ENDS = r"(?P<end>|[0-9]|l|r|left|right)"
MODELS = ("distortionmodel", "distortiontype", "cameramodel", "model", "cameratype")
FISHEYES = ("equidistant", "fisheye", "kannala_brandt")
TERMS = ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")
FISHEYE_TERMS = ("k1", "k2", "k3", "k4")


def recognises(content: FileContent) -> bool:
    """Whether there is a camera matrix, or focal lengths and a principal point, under a known name."""
    return bool(_matrices(content.tree)) or _scalars(_plain(content.tree)) is not None


def read(content: FileContent) -> list[StatedCamera]:
    """The camera, or the two of a stereo pair."""
    plain = _plain(content.tree)
    size, model = _size(plain), _model(plain)
    scalars = _scalars(plain)
    if scalars is not None:  # the RealSense SDK's and others' intrinsics
        terms = [name for name in TERMS if name in plain]
        if terms:
            order = FISHEYE_TERMS if model in FISHEYES else TERMS
            D = np.array([number(plain.get(name, 0.0), name) for name in order])
        else:
            D = _distortion(content.tree, "")
        return [StatedCamera("camera", scalars, _coefficients(D, model), model or "plumb_bob", size)]
    return [_camera(content.tree, key, end, size, model) for key, end in _matrices(content.tree).items()]


def _camera(tree: Tree, key: str, end: str, size: tuple[int, int] | None, model: str) -> StatedCamera:
    K = numbers(tree[key], key, 9).reshape(3, 3)
    if key == "intrinsic_matrix" and not K[:2, 2].any() and K[2, :2].any():
        K = K.T  # Open3D writes column after column
    D = _distortion(tree, end)
    R, P = (
        numbers(tree[name], name, count).reshape(3, -1) if end and name in tree else np.zeros((3, count // 3))
        for name, count in ((f"R{end}", 9), (f"P{end}", 12))
    )
    return StatedCamera(end or "camera", K, _coefficients(D, model), model or "plumb_bob", size, R=R, P=P)


def _distortion(tree: Tree, end: str) -> np.ndarray:
    """The coefficients of a camera; none if no key speaks of distortion.

    Raises CalibrationError if one does and its name is not known.
    """
    key = next((key for key in tree if re.fullmatch(f"({DISTORTION}){end}", _word(key))), None)
    if key is not None:
        return numbers(tree[key], key)
    others = [key for key, value in tree.items() if "dist" in _word(key) and isinstance(value, dict | list)]
    if others:
        raise CalibrationError(f"distortion under the unknown key {others[0]}: call it distortion_coefficients{end}")
    return np.zeros(0)


def _matrices(tree: Tree) -> dict[str, str]:
    """Keys of camera matrices, with what tells them apart."""
    found = {}
    for key, value in tree.items():
        match = re.fullmatch(f"({MATRIX}){ENDS}", _word(key))
        if match and isinstance(value, dict | list) and _count(value) == 9:
            found[key] = match["end"]
    return found


def _count(value: object) -> int:
    try:
        return numbers(value, "").size
    except CalibrationError:
        return 0


def _scalars(plain: Tree) -> np.ndarray | None:
    """K from fx, fy, cx (or ppx) and cy (or ppy), each a key of its own."""
    names = [
        next((name for name in pair if name in plain), "") for pair in (("fx",), ("fy",), ("cx", "ppx"), ("cy", "ppy"))
    ]
    return intrinsics(*(number(plain[name], name) for name in names)) if all(names) else None


def _coefficients(D: np.ndarray, model: str) -> list[float]:
    """The coefficients; CalibrationError for four that only a fisheye can have, if the file names no model."""
    if model in FISHEYES:
        return fisheye_coefficients(D.tolist())
    if not model:
        check_unnamed(D)
    return D.tolist()


def _model(plain: Tree) -> str:
    if plain.get("fisheyemodel"):  # OpenCV's own calibration program
        return "equidistant"
    name = next((plain[name] for name in MODELS if isinstance(plain.get(name), str)), "")
    return name.rpartition(".")[2]  # the RealSense SDK's Python prints distortion.brown_conrady


def _size(plain: Tree) -> tuple[int, int] | None:
    for width, height in (("imagewidth", "imageheight"), ("width", "height"), ("w", "h"), ("cols", "rows")):
        if width in plain and height in plain:
            return whole_number(plain[width], width), whole_number(plain[height], height)
    for name in SIZES.split("|"):
        if name in plain:
            return image_size(plain[name], name)
    return None


def _word(key: str) -> str:
    return re.sub(r"[\s_-]", "", key).lower()


def _plain(tree: Tree) -> Tree:
    return {_word(key): value for key, value in tree.items()}
