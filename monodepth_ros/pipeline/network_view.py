# SPDX-License-Identifier: Apache-2.0
"""How the network looks through the live camera: which part of the image it gets, and what its depth means there."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import axis_angle_to_rotation, make_transform, rotation_to_axis_angle
from monodepth_ros.geometry.resample import Resampler

# Two cameras this close are the same to a network (share of the focal length; of the image for the principal point).
SAME_CAMERA_TOLERANCE = 0.05
# The training camera is rendered from the live one if at least this share of it can be seen.
MIN_COVERAGE = 0.80
# A crop keeps the aspect of the network's input up to this stretch.
MAX_STRETCH = 0.03


@dataclass(frozen=True)
class NetworkView:
    """The mapping from the live camera to the network's input.

    camera: pinhole model of the network's input as a camera (what depth and cloud at network size are seen by).
    image_camera: the rectified live camera. resampler: live image -> network input. depth_factor: what the network's
    depth must be multiplied by because its focal length is not the training camera's. kind: 'resize', 'render', 'crop' or
    'uncalibrated'. description: the same in words, with the figures.
    """

    camera: CameraModel
    image_camera: CameraModel
    resampler: Resampler
    depth_factor: float
    kind: str
    description: str

    @property
    def is_calibrated(self) -> bool:
        """Whether the rays of the network's pixels are known."""
        return self.kind != "uncalibrated"

    def correct_motion(self, T_later_earlier: np.ndarray) -> np.ndarray:
        """The camera's motion, given what the network says of it.

        A network that takes the image for one of focal length f_training sees image motion u = f Z^-1 (t_x, t_y) and
        u = f (w_y, w_x): with the true f the depth, and with it t_z, grow by f / f_training, the rotations about x and y
        shrink by it, and t_x, t_y and the roll stay. First order in the rotation.
        """
        if self.depth_factor == 1.0:
            return T_later_earlier
        axis_angle = rotation_to_axis_angle(T_later_earlier[:3, :3]) / (self.depth_factor, self.depth_factor, 1.0)
        translation = T_later_earlier[:3, 3] * (1.0, 1.0, self.depth_factor)
        return make_transform(axis_angle_to_rotation(axis_angle), translation)


def view_through(
    camera: CameraModel, training_camera: tuple[float, float, float, float], width: int, height: int, filter: str
) -> NetworkView:
    """Choose how a network of input width x height, trained on `training_camera`, looks through `camera`.

    training_camera: normalised (fx, fy, cx, cy). The same camera within tolerance: a plain resize. Another one: the
    training camera rendered from it, if enough of it can be seen; otherwise an aspect-preserving crop, whose depth must be
    corrected for the focal length. A camera that is not calibrated is taken for the training camera.
    """
    if not camera.is_calibrated:
        assumed = CameraModel.from_normalized(camera.width, camera.height, training_camera)
        return _resize(
            assumed,
            assumed,
            width,
            height,
            filter,
            "uncalibrated",
            "camera not calibrated: taken for the training camera",
        )
    image_camera = camera.rectified()
    if _is_close(image_camera.normalized, training_camera):
        return _resize(
            camera,
            image_camera,
            width,
            height,
            filter,
            "resize",
            "the camera is like the training camera: plain resize",
        )
    target = CameraModel.from_normalized(width, height, training_camera)
    render = Resampler(camera, target, filter)
    if render.coverage >= MIN_COVERAGE:
        description = f"training camera rendered from the live one, {100 * render.coverage:.0f} % of it visible"
        return NetworkView(target, image_camera, render, 1.0, "render", description)
    crop = crop_to_aspect(image_camera, width, height)
    factor = 0.5 * (crop.fx / target.fx + crop.fy / target.fy)
    description = (
        f"only {100 * render.coverage:.0f} % of the training camera's view can be seen: "
        f"aspect-preserving crop, depth multiplied by {factor:.3f} (ratio of focal lengths)"
    )
    return NetworkView(crop, image_camera, Resampler(camera, crop, filter), factor, "crop", description)


def _is_close(normalized: tuple[float, ...], training: tuple[float, ...]) -> bool:
    focal = all(abs(a / b - 1.0) <= SAME_CAMERA_TOLERANCE for a, b in zip(normalized[:2], training[:2]))
    centre = all(abs(a - b) <= SAME_CAMERA_TOLERANCE for a, b in zip(normalized[2:], training[2:]))
    return focal and centre


def _resize(
    camera: CameraModel, image_camera: CameraModel, width: int, height: int, filter: str, kind: str, description: str
) -> NetworkView:
    target = image_camera.resized(width, height)
    return NetworkView(target, image_camera, Resampler(camera, target, filter), 1.0, kind, description)


def crop_to_aspect(camera: CameraModel, width: int, height: int) -> CameraModel:
    """The largest centred part of an image with the aspect of width x height, within MAX_STRETCH, at that size."""
    stretch = (camera.width / camera.height) / (width / height)
    if abs(stretch - 1.0) <= MAX_STRETCH:
        return camera.resized(width, height)
    if stretch > 1.0:
        kept = round(camera.height * width / height)
        return camera.cropped((camera.width - kept) // 2, 0, kept, camera.height).resized(width, height)
    kept = round(camera.width * height / width)
    return camera.cropped(0, (camera.height - kept) // 2, camera.width, kept).resized(width, height)
