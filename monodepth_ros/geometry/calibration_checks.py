# SPDX-License-Identifier: Apache-2.0
"""Checks of the numbers in a calibration: image size, matrices, intrinsics."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from monodepth_ros.geometry.lenses.distortion import CalibrationError

LARGEST_SIDE = 32766  # pixels; the limit of OpenCV's remap
LARGEST_SKEW = 0.1  # of fx; calibrations have some thousandths


def checked_size(width: float, height: float) -> tuple[int, int]:
    """Width and height as integers [pixels]; CalibrationError if they are not integers from 1 to LARGEST_SIDE."""
    for side in (width, height):
        if int(side) != side or not 0 < side <= LARGEST_SIDE:
            raise CalibrationError(f"image size is {width}x{height}, expected 1 to {LARGEST_SIDE} pixels")
    return int(width), int(height)


def checked_matrix(name: str, values: ArrayLike, rows: int, columns: int) -> np.ndarray:
    """The values as a float64 matrix (rows, columns); CalibrationError for another count or non-finite values."""
    array = np.asarray(values, dtype=np.float64)
    if array.size != rows * columns:
        raise CalibrationError(f"{name} has {array.size} numbers, expected {rows}x{columns}")
    if not np.isfinite(array).all():
        raise CalibrationError(f"{name} is {array.ravel().tolist()}, expected finite numbers")
    return array.reshape(rows, columns)


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
    if zeros.max() > 1e-6 or abs(K[2, 2] - 1) > 1e-6 or K[0, 0] <= 0 or K[1, 1] <= 0:
        raise CalibrationError(
            f"{name} is {K.tolist()}, expected [[fx, 0, cx], [0, fy, cy], [0, 0, 1]] with fx and fy above 0"
        )
    if abs(K[0, 1]) > LARGEST_SKEW * K[0, 0]:
        raise CalibrationError(
            f"{name} is {K.tolist()}, whose skew {K[0, 1]:g} is more than {100 * LARGEST_SKEW:g} % of fx: "
            "expected [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]"
        )
