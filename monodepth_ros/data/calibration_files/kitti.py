# SPDX-License-Identifier: Apache-2.0
"""KITTI's calib.txt (rows P0, P1, ...) and calib_cam_to_cam.txt (rows K_00, D_00, P_rect_00, ...)."""

import re

import numpy as np

from monodepth_ros.data.calibration_files.file_content import FileContent, get, image_size, numbers
from monodepth_ros.data.calibration_files.stated_camera import StatedCamera

ROW = re.compile(r"^([A-Z]\w*):[ \t]*(\S.*)$", re.M)
SIZE_KEY = "a row 'image_size: WIDTH HEIGHT'"


def recognises(content: FileContent) -> bool:
    """Whether there is a row of a projection."""
    rows = dict(ROW.findall(content.text))
    return any(re.fullmatch(r"P\d|P_rect_\d\d", name) and len(text.split()) == 12 for name, text in rows.items())


def read(content: FileContent) -> list[StatedCamera]:
    """P0 to P3 of the rectified images; of calib_cam_to_cam also 00 to 03, those before the rectification."""
    rows = {name: text.split() for name, text in ROW.findall(content.text)}
    stated = re.search(r"^image_size:\s*(\d{1,9})\s+(\d{1,9})\s*$", content.text, re.M | re.ASCII)
    size = (int(stated[1]), int(stated[2])) if stated else None
    cameras = []
    for name in rows:
        if re.fullmatch(r"P\d", name):
            cameras.append(_rectified(name, _numbers(rows, name, 12), size))
    for number in (name[-2:] for name in rows if re.fullmatch(r"P_rect_\d\d", name)):
        P = _numbers(rows, f"P_rect_{number}", 12)
        cameras.append(_rectified(f"rect_{number}", P, _size(rows, f"S_rect_{number}"), "rectified images"))
        if f"K_{number}" in rows:
            K, D = _numbers(rows, f"K_{number}", 9).reshape(3, 3), _numbers(rows, f"D_{number}", 5).tolist()
            R = _numbers(rows, f"R_rect_{number}", 9).reshape(3, 3)
            full = {"size": _size(rows, f"S_{number}"), "R": R, "P": P.reshape(3, 4)}
            cameras.append(StatedCamera(number, K, D, "plumb_bob", **full, remark="images before rectification"))
    return cameras


def _rectified(name: str, values: np.ndarray, size: tuple[int, int] | None, remark: str = "") -> StatedCamera:
    P = values.reshape(3, 4)
    return StatedCamera(name, P[:, :3], size=size, P=P, size_keys=SIZE_KEY, remark=remark)


def _numbers(rows: dict[str, list[str]], name: str, count: int) -> np.ndarray:
    return numbers(get(rows, name), name, count)


def _size(rows: dict[str, list[str]], name: str) -> tuple[int, int] | None:
    return image_size(numbers(rows[name], name).tolist(), name) if name in rows else None
