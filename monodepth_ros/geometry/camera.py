# SPDX-License-Identifier: Apache-2.0
"""The camera model: the ray of the world that each pixel sees.

Pixel centres are integers, as in OpenCV and ROS: an image of width W spans u from -1/2 to W - 1/2, and
resizing it by s maps u to s (u + 1/2) - 1/2. Camera axes are optical (REP-103): x right, y down, z forward.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from monodepth_ros.geometry.arrays import array_namespace, as_floating
from monodepth_ros.geometry.calibration_checks import (
    check_intrinsics,
    check_projection,
    check_rotation,
    checked_matrix,
    checked_size,
)
from monodepth_ros.geometry.field_of_view import field_of_view, focal_length, guessed_field_of_view
from monodepth_ros.geometry.intrinsics import from_pixels, ray_grid, rectified_projection, to_pixels
from monodepth_ros.geometry.lenses.distortion import (
    Array,
    CalibrationError,
    central_gain,
    check_distortion,
    distort,
    is_pinhole,
    undistort,
)
from monodepth_ros.geometry.stated_calibration import StatedCalibration, stated_calibration

__all__ = ["CalibrationError", "CameraModel"]

SAME_PIXELS = 1e-3  # pixels; intrinsics closer than this count as equal (files carry about six digits)
SAME_ROTATION = 1e-6  # radians


@dataclass(frozen=True, eq=False)
class CameraModel:
    """Calibration of the image that a camera publishes: size, intrinsics, distortion, rectification.

    width, height [pixels]. K (3, 3): intrinsics of the image; K[0, 1] is the skew, u = fx x + skew y + cx. D,
    distortion_model: see `geometry.distortion_models`; D is stored in full length. R (3, 3): rotation from the camera's
    frame to the rectified frame. P (3, 4): projection of the rectified image, P[0, 3] = -fx * baseline. R and P may be
    omitted or zero, which means the identity and [K|0] (REP-104), with the focal lengths of the image's centre (wide
    lenses may state others) and without the skew, which a P never has.
    K[0, 0] == 0 marks an uncalibrated camera: only its size is valid, and field_of_view is a guess of its horizontal
    field of view [degrees] (0: geometry.field_of_view's). Arrays are float64 and read-only.

    Raises CalibrationError for a size out of range, values that are not finite, wrong lengths, an unknown distortion
    model, and matrices that are not intrinsics, rotation or projection.
    """

    width: int
    height: int
    K: np.ndarray
    D: np.ndarray = field(default_factory=lambda: np.zeros(0))
    distortion_model: str = "plumb_bob"
    R: np.ndarray = field(default_factory=lambda: np.zeros((3, 3)))
    P: np.ndarray = field(default_factory=lambda: np.zeros((3, 4)))
    field_of_view: float = 0.0

    def __post_init__(self) -> None:
        width, height = checked_size(self.width, self.height)
        K = checked_matrix("K", self.K, 3, 3)
        R = checked_matrix("R", self.R, 3, 3)
        P = checked_matrix("P", self.P, 3, 4)
        if K[0, 0] == 0:
            K, model, D = np.zeros((3, 3)), *check_distortion("", ())
            R, P = np.eye(3), np.zeros((3, 4))
            object.__setattr__(self, "field_of_view", self.field_of_view or guessed_field_of_view(width, height))
        else:
            object.__setattr__(self, "field_of_view", 0.0)
            check_intrinsics("K", K)
            model, D = check_distortion(self.distortion_model, self.D)
            R = R if R.any() else np.eye(3)
            P = rectified_projection(K, P, central_gain(model, D))
            check_projection(P)
            check_rotation("R", R)
        for name, array in (("K", K), ("D", D), ("R", R), ("P", P)):
            array = array + 0.0  # a copy without -0.0, so that equal models have equal bytes
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        object.__setattr__(self, "width", width)
        object.__setattr__(self, "height", height)
        object.__setattr__(self, "distortion_model", model)

    @classmethod
    def from_camera_info(cls, info: Any) -> "CameraModel":
        """The model of an object with the fields of sensor_msgs/CameraInfo; see `stated_calibration`.

        binning_x, binning_y and roi are applied, so that the model describes the image as published: width and height
        of the message are those of the full image.
        """
        return cls.as_stated(stated_calibration(info))

    @classmethod
    def as_stated(cls, stated: StatedCalibration) -> "CameraModel":
        """The model of the published image."""
        size = stated.width, stated.height
        full = cls(*size, K=stated.K, D=stated.D, distortion_model=stated.model, R=stated.R, P=stated.P)
        way = stated.to_published
        return full if way is None else full._transformed(way, *stated.published_size)

    @classmethod
    def pinhole(cls, width: int, height: int, fx: float, fy: float, cx: float, cy: float) -> "CameraModel":
        """An undistorted, rectified camera. fx, fy, cx, cy [pixels]."""
        return cls(width, height, K=np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]], dtype=np.float64))

    @classmethod
    def uncalibrated(cls, width: int, height: int, field_of_view: float = 0.0) -> "CameraModel":
        """A camera of which only the size [pixels] is known; field_of_view: a guess [degrees], 0 for the default."""
        return cls(width, height, K=np.zeros((3, 3)), field_of_view=field_of_view)

    @classmethod
    def from_normalized(cls, width: int, height: int, intrinsics: Sequence[float]) -> "CameraModel":
        """The pinhole of this size from (fx/W, fy/H, (cx + 1/2)/W, (cy + 1/2)/H), the value of `normalized`."""
        fx, fy, cx, cy = (float(value) for value in intrinsics)
        return cls.pinhole(width, height, fx * width, fy * height, cx * width - 0.5, cy * height - 0.5)

    @property
    def fx(self) -> float:
        return float(self.K[0, 0])

    @property
    def fy(self) -> float:
        return float(self.K[1, 1])

    @property
    def cx(self) -> float:
        return float(self.K[0, 2])

    @property
    def cy(self) -> float:
        return float(self.K[1, 2])

    @property
    def skew(self) -> float:
        return float(self.K[0, 1])

    @property
    def is_calibrated(self) -> bool:
        return self.fx != 0

    def assumed(self) -> "CameraModel":
        """The camera itself or, if it is not calibrated, a pinhole with square pixels and the guessed field of view."""
        if self.is_calibrated:
            return self
        focal = focal_length(self.width, self.field_of_view)
        return CameraModel.pinhole(
            self.width, self.height, focal, focal, 0.5 * (self.width - 1), 0.5 * (self.height - 1)
        )

    @property
    def is_distorted(self) -> bool:
        """True if the image is not that of a pinhole with rectangular pixels."""
        return abs(self.skew) > SAME_PIXELS or not is_pinhole(self.distortion_model, self.D)

    @property
    def is_rectified(self) -> bool:
        """True if the image needs no rectification: no distortion, R is the identity and P holds K."""
        return (
            not self.is_distorted
            and bool(np.abs(self.R - np.eye(3)).max() <= SAME_ROTATION)
            and bool(np.abs(self.P[:, :3] - self.K).max() <= SAME_PIXELS)
        )

    @property
    def normalized(self) -> tuple[float, float, float, float]:
        """(fx/W, fy/H, (cx + 1/2)/W, (cy + 1/2)/H), which a resize does not change."""
        self._require_calibration()
        return (
            self.fx / self.width,
            self.fy / self.height,
            (self.cx + 0.5) / self.width,
            (self.cy + 0.5) / self.height,
        )

    @property
    def baseline(self) -> float:
        """Distance from the stereo pair's first camera to this one along x [m]; 0 for a single camera."""
        self._require_calibration()
        return float(-self.P[0, 3] / self.P[0, 0]) + 0.0

    def check_size(self, width: int, height: int, calibration: str = "its calibration") -> None:
        """Raise CalibrationError unless an image of this size [px] is of the size that the camera is calibrated for.

        calibration: what the message calls the calibration, such as a file or a topic.
        """
        if (width, height) != (self.width, self.height):
            raise CalibrationError(
                f"image of {width}x{height} but {calibration} is for {self.width}x{self.height}"
                f"{self._likely_mistake(width, height)}: use the calibration that belongs to the image"
            )

    def _likely_mistake(self, width: int, height: int) -> str:
        """What a calibration of another size than the image's has probably become wrong by."""
        if (width, height) == (self.height, self.width):
            return " (width and height are swapped)"
        if abs(width * self.height / (height * self.width) - 1) < 0.01:
            return f" (the same aspect: the images are {width / self.width:.3g} times as large)"
        return ""

    @cached_property
    def key(self) -> tuple:
        """Hashable key; two models are equal if and only if their keys are equal."""
        arrays = (self.K, self.D, self.R, self.P)
        sizes = (self.width, self.height, self.field_of_view)
        return (*sizes, self.distortion_model, *(array.tobytes() for array in arrays))

    def resized(self, width: int, height: int) -> "CameraModel":
        """The camera of the image resized to this size; the factors of the two axes may differ."""
        width, height = checked_size(width, height)
        sx, sy = width / self.width, height / self.height
        return self._transformed(np.array([[sx, 0, 0.5 * sx - 0.5], [0, sy, 0.5 * sy - 0.5], [0, 0, 1]]), width, height)

    def cropped(self, x: float, y: float, width: int, height: int) -> "CameraModel":
        """The camera of a width x height window with first pixel (x, y); it may extend beyond the image."""
        return self._transformed(np.array([[1.0, 0, -x], [0, 1, -y], [0, 0, 1]]), width, height)

    def rectified(self) -> "CameraModel":
        """The pinhole of the rectified image: K = P[:, :3], no distortion, R the identity, P unchanged."""
        self._require_calibration()
        return CameraModel(self.width, self.height, K=self.P[:, :3], P=self.P)

    def flipped(self) -> "CameraModel":
        """The camera of the horizontally mirrored image, in an equally mirrored world.

        Raises CalibrationError if the image is distorted: rectify it first.
        """
        self._require_calibration()
        if self.is_distorted:
            raise CalibrationError("a distorted image cannot be flipped: rectify it first")
        image = np.array([[-1.0, 0, self.width - 1], [0, 1, 0], [0, 0, 1]])
        world = np.diag([-1.0, 1, 1, 1])
        return replace(
            self,
            K=image @ self.K @ world[:3, :3],
            R=world[:3, :3] @ self.R @ world[:3, :3],
            P=image @ self.P @ world,
        )

    def project(self, points: Array) -> Array:
        """Pixels (..., 2) of points (..., 3) in the camera's frame [m], with distortion.

        NaN where z <= 0 and outside the distortion model's domain. The frame is that of K, which differs from the
        rectified one unless the model is rectified. numpy or torch, in the input's type; differentiable.
        """
        self._require_calibration()
        points = as_floating(points)
        xp = array_namespace(points)
        z = points[..., 2:]
        front = z > 0
        normalised = points[..., :2] / xp.where(front, z, xp.ones_like(z))
        normalised = xp.where(front, normalised, xp.full_like(normalised, float("nan")))
        bent = distort(normalised, self.distortion_model, self.D)
        return to_pixels(self.K, bent)

    def backproject(self, pixels: Array, depth: Array | float) -> Array:
        """Points (..., 3) in the camera's frame at pixels (..., 2) and depth (...) along z [m].

        NaN where no ray of the model reaches the pixel. numpy or torch; differentiable.
        """
        self._require_calibration()
        xp = array_namespace(depth) if array_namespace(pixels) is np else array_namespace(pixels)
        places, z = (
            as_floating(array if array_namespace(array) is xp else xp.asarray(array)) for array in (pixels, depth)
        )
        rays = undistort(from_pixels(self.K, places), self.distortion_model, self.D)
        return xp.stack([rays[..., 0] * z, rays[..., 1] * z, z + 0.0 * rays[..., 0]], axis=-1)

    def ray_grid(self) -> np.ndarray:
        """The point of every pixel at depth 1: (H, W, 3) float32, read-only, cached.

        Raises CalibrationError if the image is distorted: rectify it first.
        """
        self._require_calibration()
        if self.is_distorted:
            raise CalibrationError("a distorted image has no pinhole ray grid: rectify it first")
        return ray_grid(self.width, self.height, self.fx, self.fy, self.cx, self.cy)

    def _transformed(self, matrix: np.ndarray, width: int, height: int) -> "CameraModel":
        """The camera whose pixels are those of this one mapped by the affine `matrix` (3, 3)."""
        if not self.is_calibrated:
            focal = matrix[0, 0] * focal_length(self.width, self.field_of_view)
            return CameraModel.uncalibrated(width, height, field_of_view(width, focal))
        return replace(self, width=width, height=height, K=matrix @ self.K, P=matrix @ self.P)

    def _require_calibration(self) -> None:
        if not self.is_calibrated:
            raise CalibrationError(
                f"the {self.width}x{self.height} camera is uncalibrated (K[0] is 0): "
                "publish a camera_info with intrinsics, or calibrate it"
            )
