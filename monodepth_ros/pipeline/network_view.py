# SPDX-License-Identifier: Apache-2.0
"""The network's view through the live camera: the part of the image it gets, and the correction of its depth."""

from dataclasses import dataclass, replace

import numpy as np

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import axis_angle_to_rotation, make_transform, rotation_to_axis_angle
from monodepth_ros.geometry.resample import Resampler

# Cameras this similar need no correction (share of the focal length; of the image size for the principal point).
SAME_CAMERA_TOLERANCE = 0.05
# The training camera is rendered from the live one if the live one sees at least this share of its image.
MIN_COVERAGE = 0.80
# A crop keeps the aspect ratio of the network's input up to this stretch.
MAX_STRETCH = 0.03


@dataclass(frozen=True)
class NetworkView:
    """The mapping from the live camera to the network's input.

    camera: pinhole model of the network's input, and of depth and cloud at network size. image_camera: the rectified
    live camera. resampler: live image -> network input. depth_factor: factor on the network's depth, for a focal length
    other than the training camera's. kind: 'resize', 'render', 'crop' or 'whole' (see view_choice.py). description: the
    same in words, with the figures. is_calibrated: whether the rays of the network's pixels are known; otherwise both
    cameras follow from a guess of the field of view, and no length is in metres.
    """

    camera: CameraModel
    image_camera: CameraModel
    resampler: Resampler
    depth_factor: float
    kind: str
    description: str
    is_calibrated: bool = True

    @property
    def image_coverage(self) -> float:
        """Share of the rectified camera image that the network sees, 0 to 1."""
        image, seen = _field_of_view(self.image_camera), _field_of_view(self.camera)
        shared = np.minimum(image[1], seen[1]) - np.maximum(image[0], seen[0])
        return float(np.prod(np.maximum(shared, 0.0) / (image[1] - image[0])))

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the network's input."""
        return self.camera.width, self.camera.height

    @property
    def summary(self) -> str:
        """The share of the image that gets depth and how the network looks, in words."""
        return f"{100 * self.image_coverage:.0f} % of the image gets depth ({self.description})"

    def correct_motion(self, T_later_earlier: np.ndarray) -> np.ndarray:
        """The camera's motion (4, 4), from the network's, which assumes the training camera's focal length.

        Image motion is u = f Z^-1 (t_x, t_y) and u = f (w_y, w_x). With the camera's own f instead of f_training, depth
        and t_z grow by f / f_training, the rotations about x and y shrink by it, and t_x, t_y and the roll stay. First
        order in the rotation.
        """
        if self.depth_factor == 1.0:
            return T_later_earlier
        axis_angle = rotation_to_axis_angle(T_later_earlier[:3, :3]) / (self.depth_factor, self.depth_factor, 1.0)
        translation = T_later_earlier[:3, 3] * (1.0, 1.0, self.depth_factor)
        return make_transform(axis_angle_to_rotation(axis_angle), translation)


def view_through(
    camera: CameraModel, training_camera: tuple[float, float, float, float], width: int, height: int, filter: str
) -> NetworkView:
    """The view of a network of input width x height, trained on `training_camera`, through `camera`.

    training_camera: normalised (fx, fy, cx, cy). A camera like it, within tolerance: a plain resize. Another camera:
    the training camera rendered from it, if it sees enough of its image; otherwise an aspect-preserving crop, with
    depth corrected for the focal length. A camera without calibration is taken for the pinhole of its guessed field of
    view.
    """
    if not camera.is_calibrated:
        return guessed_view(camera, view_through(camera.assumed(), training_camera, width, height, filter))
    image_camera = camera.rectified()
    if _is_close(image_camera.normalized, training_camera):
        target = image_camera.resized(width, height)
        description = "the camera is like the training camera: plain resize"
        return NetworkView(target, image_camera, Resampler(camera, target, filter), 1.0, "resize", description)
    target = CameraModel.from_normalized(width, height, training_camera)
    render = Resampler(camera, target, filter)
    if render.coverage >= MIN_COVERAGE:
        description = f"training camera rendered from the live one, {100 * render.coverage:.0f} % of it visible"
        return NetworkView(target, image_camera, render, 1.0, "render", description)
    crop = crop_to_aspect(image_camera, width, height)
    factor = 0.5 * (crop.fx / target.fx + crop.fy / target.fy)
    description = (
        f"only {100 * render.coverage:.0f} % of the training camera's image can be seen: "
        f"aspect-preserving crop, depth multiplied by {factor:.3f} (ratio of focal lengths)"
    )
    return NetworkView(crop, image_camera, Resampler(camera, crop, filter), factor, "crop", description)


def guessed_view(camera: CameraModel, view: NetworkView) -> NetworkView:
    """The view through a camera without calibration, from that through the pinhole it is taken for."""
    assumption = f"camera not calibrated, {camera.field_of_view:.0f} degrees wide by assumption"
    return replace(view, is_calibrated=False, description=f"{assumption}: {view.description}")


def _field_of_view(camera: CameraModel) -> np.ndarray:
    """Edges of a pinhole's image on the plane z = 1: ((left, top), (right, bottom))."""
    focal, centre = np.array([camera.fx, camera.fy]), np.array([camera.cx, camera.cy])
    edges = np.array([(0.0, 0.0), (camera.width, camera.height)]) - 0.5
    return (edges - centre) / focal


def _is_close(normalized: tuple[float, ...], training: tuple[float, ...]) -> bool:
    focal = all(abs(a / b - 1.0) <= SAME_CAMERA_TOLERANCE for a, b in zip(normalized[:2], training[:2]))
    centre = all(abs(a - b) <= SAME_CAMERA_TOLERANCE for a, b in zip(normalized[2:], training[2:]))
    return focal and centre


def crop_to_aspect(camera: CameraModel, width: int, height: int) -> CameraModel:
    """The largest centred crop with the aspect ratio of width x height, within MAX_STRETCH, resized to that size."""
    stretch = (camera.width / camera.height) / (width / height)
    if abs(stretch - 1.0) <= MAX_STRETCH:
        return camera.resized(width, height)
    if stretch > 1.0:
        kept = max(1, round(camera.height * width / height))
        return camera.cropped((camera.width - kept) // 2, 0, kept, camera.height).resized(width, height)
    kept = max(1, round(camera.width * height / width))
    return camera.cropped(0, (camera.height - kept) // 2, camera.width, kept).resized(width, height)
