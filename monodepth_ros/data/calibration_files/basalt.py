# SPDX-License-Identifier: Apache-2.0
"""Basalt's calibration (JSON): value0 with intrinsics and resolution of every camera."""

from monodepth_ros.data.calibration_files.file_content import FileContent, Tree, get, image_size, number
from monodepth_ros.data.calibration_files.stated_camera import StatedCamera, fisheye_coefficients, intrinsics
from monodepth_ros.geometry.camera import CalibrationError

TERMS = {  # camera_type: distortion model, names of its coefficients
    "pinhole": ("none", ()),
    "kb4": ("equidistant", ("k1", "k2", "k3", "k4")),
    "ds": ("double_sphere", ("xi", "alpha")),
    "eucm": ("eucm", ("alpha", "beta")),
    "pinhole-radtan8": ("rational_polynomial", ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")),
}


def recognises(content: FileContent) -> bool:
    """Whether there are cameras with a camera_type."""
    return bool(_cameras(content.tree))


def read(content: FileContent) -> list[StatedCamera]:
    """The cameras, named cam0, cam1, ..."""
    sizes = content.tree["value0"].get("resolution") or []
    if not isinstance(sizes, list):
        raise CalibrationError("value0.resolution is no list, expected [[width, height], ...]")
    return [
        _camera(f"cam{i}", camera, image_size(sizes[i], "resolution") if i < len(sizes) else None)
        for i, camera in enumerate(_cameras(content.tree))
    ]


def _cameras(tree: Tree) -> list[Tree]:
    inner = tree.get("value0")
    cameras = inner.get("intrinsics") if isinstance(inner, dict) else None
    if not isinstance(cameras, list):
        return []
    return [camera for camera in cameras if isinstance(camera, dict) and isinstance(camera.get("intrinsics"), dict)]


def _camera(name: str, camera: Tree, size: tuple[int, int] | None) -> StatedCamera:
    kind, values = str(get(camera, "camera_type")), camera["intrinsics"]
    if kind not in TERMS:
        raise CalibrationError(f"{name}: camera_type is '{kind}', expected one of {', '.join(TERMS)}")
    model, names = TERMS[kind]
    D = [number(get(values, term), term) for term in names]
    if model == "equidistant":
        D = fisheye_coefficients(D)
    K = intrinsics(*(number(get(values, term), term) for term in ("fx", "fy", "cx", "cy")))
    return StatedCamera(name, K, D, model, size, size_keys="value0.resolution: [[width, height], ...]", remark=kind)
