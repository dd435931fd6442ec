# SPDX-License-Identifier: Apache-2.0
"""A camera as a calibration file states it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from monodepth_ros.geometry.camera import CalibrationError, CameraModel
from monodepth_ros.geometry.lenses.distortion_models import zero_fisheye_note

IDEAL_FISHEYE = 1e-15
"""k1 of a fisheye lens without further distortion: ROS takes coefficients that are all zero for a pinhole."""

LARGEST_TANGENTIAL = 0.02  # lenses have some thousandths


@dataclass(frozen=True)
class StatedCamera:
    """K (3, 3), P (3, 4) and R (3, 3) with pixel centres at integers; R and P are zero if the file states none.

    name: of the camera within the file. size: (width, height) [pixels], None if the file states none; size_keys: what
    to add then. remark: what tells the camera from the file's others, such as a topic.
    """

    name: str
    K: np.ndarray
    D: Sequence[float] = ()
    distortion_model: str = "plumb_bob"
    size: tuple[int, int] | None = None
    R: np.ndarray = field(default_factory=lambda: np.zeros((3, 3)))
    P: np.ndarray = field(default_factory=lambda: np.zeros((3, 4)))
    size_keys: str = "image_width and image_height"
    remark: str = ""

    def model(self, size: tuple[int, int] | None) -> CameraModel:
        """The camera model; size: of the images, for a file that states none.

        Raises CalibrationError without any size and for impossible values.
        """
        size = self.size or size
        if size is None:
            raise CalibrationError(f"no image size: add {self.size_keys} [pixels] to the file")
        return CameraModel(*size, self.K, np.array(self.D), self.distortion_model, self.R, P=self.P)

    @property
    def note(self) -> str:
        """What a user should know of how it is read; '' for nothing."""
        return zero_fisheye_note(self.distortion_model, np.array(self.D)) if self.K[0, 0] > 0 else ""

    def __str__(self) -> str:
        size = "" if self.size is None else f" {self.size[0]}x{self.size[1]}"
        return f"{self.name}{size}{' ' if self.remark else ''}{self.remark}"


def check_unnamed(
    D: Sequence[float], remedy: str = "add distortion_model: equidistant for a fisheye, or plumb_bob"
) -> None:
    """CalibrationError for four coefficients that only a fisheye can have, for a file that names no model.

    remedy: what to do then.
    """
    if len(D) == 4 and np.abs(D[2:]).max() > LARGEST_TANGENTIAL:
        raise CalibrationError(
            f"4 distortion coefficients {list(map(float, D))} whose last two are no tangential terms: {remedy}"
        )


def intrinsics(fx: float, fy: float, cx: float, cy: float) -> np.ndarray:
    """K (3, 3) [pixels]."""
    return np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])


def fisheye_coefficients(values: Sequence[float]) -> list[float]:
    """The coefficients of a lens that is known to be a fisheye, which all zeros would deny."""
    return list(values) if any(values) else [IDEAL_FISHEYE, 0.0, 0.0, 0.0]
