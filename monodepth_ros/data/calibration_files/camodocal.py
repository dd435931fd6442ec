# SPDX-License-Identifier: Apache-2.0
"""Camera files of camodocal, which VINS-Mono and VINS-Fusion read: model_type and projection_parameters."""

from monodepth_ros.data.calibration_files.file_content import FileContent, Tree, get, number, whole_number
from monodepth_ros.data.calibration_files.stated_camera import StatedCamera, fisheye_coefficients, intrinsics
from monodepth_ros.geometry.camera import CalibrationError

FOCAL = {  # names of fx, fy, cx, cy in projection_parameters
    "PINHOLE": ("fx", "fy", "cx", "cy"),
    "KANNALA_BRANDT": ("mu", "mv", "u0", "v0"),
    "MEI": ("gamma1", "gamma2", "u0", "v0"),
}


def recognises(content: FileContent) -> bool:
    """Whether model_type and projection_parameters are there."""
    return "model_type" in content.tree and "projection_parameters" in content.tree


def read(content: FileContent) -> list[StatedCamera]:
    """The camera of the file."""
    tree = content.tree
    kind = str(tree["model_type"]).upper()
    if kind not in FOCAL:
        raise CalibrationError(f"model_type is '{kind}', expected {', '.join(FOCAL)}")
    projection = _part(tree, "projection_parameters")
    K = intrinsics(*(number(get(projection, name), name) for name in FOCAL[kind]))
    if kind == "KANNALA_BRANDT":
        D = fisheye_coefficients([number(get(projection, name), name) for name in ("k2", "k3", "k4", "k5")])
        model = "equidistant"
    else:
        terms = _part(tree, "distortion_parameters")
        D, model = [number(get(terms, name), name) for name in ("k1", "k2", "p1", "p2")], "plumb_bob"
        if kind == "MEI":
            D, model = [number(get(_part(tree, "mirror_parameters"), "xi"), "xi"), *D], "omnidirectional"
    size = tuple(whole_number(get(tree, key), key) for key in ("image_width", "image_height"))
    return [StatedCamera(str(tree.get("camera_name", "camera")), K, D, model, size)]


def _part(tree: Tree, name: str) -> Tree:
    part = get(tree, name)
    if not isinstance(part, dict):
        raise CalibrationError(f"{name} is {part!r:.60}, expected keys and numbers")
    return part
