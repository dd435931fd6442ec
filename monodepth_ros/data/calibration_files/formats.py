# SPDX-License-Identifier: Apache-2.0
"""The formats of calibration files, each recognised by what is in the file, never by its name."""

from collections.abc import Callable
from typing import NamedTuple

from monodepth_ros.data.calibration_files import (
    basalt,
    camera_calibration,
    camodocal,
    colmap,
    kalibr,
    kitti,
    opencv_storage,
    orb_slam,
)
from monodepth_ros.data.calibration_files.file_content import FileContent
from monodepth_ros.data.calibration_files.stated_camera import StatedCamera
from monodepth_ros.geometry.camera import CalibrationError


class Format(NamedTuple):
    """name: for users."""

    name: str
    recognises: Callable[[FileContent], bool]
    read: Callable[[FileContent], list[StatedCamera]]


FORMATS = (  # those with the more telling keys first
    Format("ost.txt", camera_calibration.is_ost, camera_calibration.read_ost),
    Format("COLMAP's cameras.txt", colmap.recognises, colmap.read),
    Format("KITTI's calib.txt", kitti.recognises, kitti.read),
    Format("camera_calibration's YAML", camera_calibration.is_yaml, camera_calibration.read_yaml),
    Format("a printed camera_info", camera_calibration.is_camera_info, camera_calibration.read_camera_info),
    Format("Kalibr's camchain or EuRoC's sensor.yaml", kalibr.recognises, kalibr.read),
    Format("camodocal's (VINS)", camodocal.recognises, camodocal.read),
    Format("ORB-SLAM's settings", orb_slam.recognises, orb_slam.read),
    Format("Basalt's JSON", basalt.recognises, basalt.read),
    Format("OpenCV's YAML, XML or JSON", opencv_storage.recognises, opencv_storage.read),
)


def stated_cameras(content: FileContent) -> list[StatedCamera]:
    """The cameras of a file, at least one.

    Raises CalibrationError if no format fits (the message says what the file looks like and lists the formats), and for
    missing keys, wrong lengths and impossible values.
    """
    for format in FORMATS:
        if format.recognises(content):
            cameras = format.read(content)
            if cameras:
                return cameras
    if content.problem.startswith("holds "):
        raise CalibrationError(content.problem)
    found = content.problem or f"is {content.looks}"
    raise CalibrationError(f"{found}, expected one of these formats: {'; '.join(name for name, *_ in FORMATS)}")
