# SPDX-License-Identifier: Apache-2.0
"""Settings of ORB-SLAM2 and ORB-SLAM3: Camera.fx (or Camera1.fx), Camera.k1 ..., Camera.type, Camera.width."""

from monodepth_ros.data.calibration_files.file_content import FileContent, Tree, get, number, numbers, whole_number
from monodepth_ros.data.calibration_files.stated_camera import StatedCamera, fisheye_coefficients, intrinsics
from monodepth_ros.geometry.camera import CalibrationError

PREFIXES = ("Camera", "Camera1", "Camera2")
SIDES = ("LEFT", "RIGHT")


def recognises(content: FileContent) -> bool:
    """Whether a focal length of ORB-SLAM is there."""
    return any(f"{prefix}.fx" in content.tree for prefix in PREFIXES)


def read(content: FileContent) -> list[StatedCamera]:
    """The camera, or the two of a stereo pair that is not rectified."""
    found = [_camera(content.tree, prefix) for prefix in PREFIXES if f"{prefix}.fx" in content.tree]
    return found + [_before_rectification(content.tree, side) for side in SIDES if f"{side}.K" in content.tree]


def _before_rectification(tree: Tree, side: str) -> StatedCamera:
    """A camera of ORB-SLAM2's stereo settings, whose Camera.fx ... are those of the rectified images."""
    K, D = (numbers(get(tree, f"{side}.{name}"), f"{side}.{name}", count) for name, count in (("K", 9), ("D", None)))
    R, P = (
        numbers(tree.get(f"{side}.{name}", [0.0] * count), f"{side}.{name}", count).reshape(3, -1)
        for name, count in (("R", 9), ("P", 12))
    )
    size = tuple(whole_number(get(tree, key), key) for key in (f"{side}.width", f"{side}.height"))
    return StatedCamera(side, K.reshape(3, 3), D.tolist(), size=size, R=R, P=P, remark="images before rectification")


def _camera(tree: Tree, prefix: str) -> StatedCamera:
    def value(name: str) -> float:
        key = f"{prefix}.{name}"
        return number(get(tree, key), key)

    K = intrinsics(*(value(name) for name in ("fx", "fy", "cx", "cy")))
    kind = str(tree.get("Camera.type", "PinHole")).lower()
    terms = {name: value(name) for name in ("k1", "k2", "p1", "p2", "k3", "k4") if f"{prefix}.{name}" in tree}
    if kind == "kannalabrandt8":
        D, model = fisheye_coefficients([value(name) for name in ("k1", "k2", "k3", "k4")]), "equidistant"
    elif kind in ("pinhole", "rectified"):
        D, model = [terms.get(name, 0.0) for name in ("k1", "k2", "p1", "p2", "k3")], "plumb_bob"
        D = D if kind == "pinhole" else []
    else:
        raise CalibrationError(f"Camera.type is '{tree['Camera.type']}', expected PinHole, KannalaBrandt8 or Rectified")
    size = None
    if "Camera.width" in tree and "Camera.height" in tree:
        size = tuple(whole_number(tree[key], key) for key in ("Camera.width", "Camera.height"))
    return StatedCamera(prefix, K, D, model, size, size_keys="Camera.width and Camera.height")
