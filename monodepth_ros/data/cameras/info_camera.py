# SPDX-License-Identifier: Apache-2.0
"""The camera of published images by their camera_info: one decision for recordings and for the live node."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from monodepth_ros.data.cameras.image_names import is_rectified_name
from monodepth_ros.geometry.calibration_checks import has_intrinsics
from monodepth_ros.geometry.camera import CalibrationError, CameraModel
from monodepth_ros.geometry.lens_plausibility import lens_problem
from monodepth_ros.geometry.stated_calibration import StatedCalibration, is_central, stated_calibration


@dataclass(frozen=True, eq=False)
class InfoCamera:
    """The camera of images, and what a user should know about it.

    model: None if the camera_info holds no calibration. remarks: how it was read, where that is not plain. warning: why
    it can hardly be right, or ''.
    """

    model: CameraModel | None
    remarks: tuple[str, ...] = ()
    warning: str = ""


@dataclass(frozen=True)
class ImagesOf:
    """The images that a camera_info describes.

    image, info: topics. rectified: whether the images are rectified, None to find out. option: what overrules a
    decision that they are. size: (width, height) [pixels], None if unknown.
    """

    image: str
    info: str
    rectified: bool | None = None
    option: str = "--unrectified"
    size: tuple[int, int] | None = None


def camera_of_info(message: Any, images: ImagesOf) -> InfoCamera:
    """The camera of images by a sensor_msgs/CameraInfo.

    Images are rectified if a user says so, if the topic's name does (image_rect), or if P fits the image and K does
    not; then P is used without distortion. Raises CalibrationError, with the topic's name, for an impossible one.
    """
    if not has_intrinsics(message):
        return InfoCamera(None)
    try:
        stated = stated_calibration(message, images.size)
        camera = CameraModel.as_stated(stated)
        camera, scaled = _with_scaled_P(camera, stated)
        camera, reason = _published(camera, images)
        problem = lens_problem(camera, stated.is_off_centre)
    except CalibrationError as error:
        raise CalibrationError(f"{images.info}: {error}") from None
    remarks = [f"{images.info}: {note}" for note in (stated.note, scaled) if note]
    if reason:
        remarks.append(
            f"images on {images.image} are taken as rectified ({reason}): P of {images.info} is used, and D is not"
            f" ({images.option} overrules it)"
        )
    warning = f"{images.info} can hardly be right: {problem}" if problem else ""
    return InfoCamera(camera, tuple(remarks), warning)


def _with_scaled_P(camera: CameraModel, stated: StatedCalibration) -> tuple[CameraModel, str]:
    """The camera with P in its own pixels, and a note, if P is that of images of another size."""
    K, P, (width, height) = camera.K, camera.P, (camera.width, camera.height)
    if stated.is_off_centre or is_central(P[:, :3], width, height) or not is_central(K, width, height):
        return camera, ""
    x, y = ((P[i, 2] + 0.5) / (K[i, 2] + 0.5) for i in (0, 1))
    if min(x, y) <= 0 or not 0.8 < x / y < 1.25 or not 0.6 < P[0, 0] / (x * K[0, 0]) < 1.6:
        return camera, ""
    to_image = np.array([[1 / x, 0, 0.5 / x - 0.5], [0, 1 / y, 0.5 / y - 0.5], [0, 0, 1]])
    note = (
        f"P is that of images of {x * width:.0f}x{y * height:.0f} (principal point {P[0, 2]:.1f}, {P[1, 2]:.1f}) and K"
        f" of {width}x{height}: P is scaled to K's size"
    )
    return replace(camera, P=to_image @ P), note


def _published(camera: CameraModel, images: ImagesOf) -> tuple[CameraModel, str]:
    """The camera of the images as they are published, and why they are taken as rectified, or ''."""
    if images.rectified is not None or camera.is_rectified:
        return (camera.rectified() if images.rectified else camera), ""
    size = camera.width, camera.height
    if is_rectified_name(images.image):
        return camera.rectified(), "by the topic's name"
    if is_central(camera.P[:, :3], *size) and not is_central(camera.K, *size):
        return camera.rectified(), "P fits the images and K does not"
    return camera, ""
