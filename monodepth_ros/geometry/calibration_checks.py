# SPDX-License-Identifier: Apache-2.0
"""Checks of the numbers in a calibration: image size, matrices, intrinsics."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from monodepth_ros.geometry.lenses.distortion import CalibrationError
from monodepth_ros.limits import (
    LARGEST_BASELINE,
    LARGEST_ENTRY,
    LARGEST_FOCAL_LENGTH,
    MOST_PIXELS,
    SMALLEST_FOCAL_LENGTH,
)

LARGEST_SIDE = 32766  # pixels; the limit of OpenCV's remap
LARGEST_SKEW = 0.1  # of fx; calibrations have some thousandths


def checked_size(width: float, height: float) -> tuple[int, int]:
    """Width and height as integers [pixels]; CalibrationError if they are not integers from 1 to LARGEST_SIDE, or more
    than MOST_PIXELS in all."""
    for side in (width, height):
        if not 0 < side <= LARGEST_SIDE or int(side) != side:
            raise CalibrationError(f"image size is {width}x{height}, expected 1 to {LARGEST_SIDE} pixels")
    if width * height > MOST_PIXELS:
        raise CalibrationError(f"image size is {width}x{height}, expected at most {MOST_PIXELS} pixels in all")
    return int(width), int(height)


def checked_matrix(name: str, values: ArrayLike, rows: int, columns: int) -> np.ndarray:
    """The values as a float64 matrix (rows, columns); CalibrationError for another count, or numbers that
    are not finite or beyond LARGEST_ENTRY."""
    array = np.asarray(values, dtype=np.float64)
    if array.size != rows * columns:
        raise CalibrationError(f"{name} has {array.size} numbers, expected {rows}x{columns}")
    if not (np.abs(array) <= LARGEST_ENTRY).all():
        raise CalibrationError(f"{name} is {array.ravel().tolist()}, expected finite numbers up to {LARGEST_ENTRY:g}")
    return array.reshape(rows, columns)


def check_rotation(name: str, R: np.ndarray) -> None:
    """Raise CalibrationError unless R (3, 3) is a rotation, to the digits that calibrations have."""
    is_bounded = bool((np.abs(R) <= 2.0).all())
    if not is_bounded or np.abs(R @ R.T - np.eye(3)).max() > 1e-3 or np.linalg.det(R) < 0:
        raise CalibrationError(f"{name} is {R.tolist()}, expected a rotation matrix or all zeros")


def check_projection(P: np.ndarray) -> None:
    """Raise CalibrationError unless P (3, 4) is that of a rectified camera, at most LARGEST_BASELINE from the first."""
    check_intrinsics("P", P[:, :3])
    if np.abs(P[:, 3]).max() > LARGEST_BASELINE * P[0, 0]:
        raise CalibrationError(
            f"P is {P.tolist()}, whose last column is a baseline of more than {LARGEST_BASELINE:g} m: expected "
            "P[0,3] = -fx * baseline"
        )


def has_intrinsics(info: Any) -> bool:
    """Whether a sensor_msgs/CameraInfo holds a calibration, in K or (for rectified images) in P.

    Drivers without one publish zeros, even as the size.
    """
    k, p = (getattr(info, name) if hasattr(info, name) else getattr(info, name.upper()) for name in "kp")
    return bool(k[0] != 0 or p[0] != 0)


def check_intrinsics(name: str, K: np.ndarray) -> None:
    """Raise CalibrationError unless K is [[fx, skew, cx], [0, fy, cy], [0, 0, 1]] with a small skew.

    REP-104 allows no skew, but ROS's own fisheye calibrator writes one.
    """
    zeros = np.abs([K[1, 0], K[2, 0], K[2, 1]])
    focal, centre = np.array([K[0, 0], K[1, 1]]), np.abs([K[0, 2], K[1, 2]])
    if zeros.max() > 1e-6 or abs(K[2, 2] - 1) > 1e-6 or K[0, 0] <= 0 or K[1, 1] <= 0:
        raise CalibrationError(
            f"{name} is {K.tolist()}, expected [[fx, 0, cx], [0, fy, cy], [0, 0, 1]] with fx and fy above 0"
        )
    if focal.min() < SMALLEST_FOCAL_LENGTH or max(focal.max(), centre.max()) > LARGEST_FOCAL_LENGTH:
        raise CalibrationError(
            f"{name} is {K.tolist()}, expected fx and fy from {SMALLEST_FOCAL_LENGTH:g} to {LARGEST_FOCAL_LENGTH:g} "
            f"pixels, cx and cy up to {LARGEST_FOCAL_LENGTH:g}"
        )
    if abs(K[0, 1]) > LARGEST_SKEW * K[0, 0]:
        raise CalibrationError(
            f"{name} is {K.tolist()}, whose skew {K[0, 1]:g} is more than {100 * LARGEST_SKEW:g} % of fx: "
            "expected [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]"
        )
