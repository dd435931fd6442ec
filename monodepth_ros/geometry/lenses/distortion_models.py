# SPDX-License-Identifier: Apache-2.0
"""The distortion models by name: what drivers, SDKs and calibration tools call them, and their coefficients.

    plumb_bob            k1 k2 p1 p2 k3
    rational_polynomial  k1 k2 p1 p2 k3 k4 k5 k6, and where the lens needs them s1 s2 s3 s4 and tau_x tau_y
    equidistant          k1 k2 k3 k4
    fov                  w [rad]
    double_sphere        xi alpha
    eucm                 alpha beta
    omnidirectional      xi k1 k2 p1 p2

The first three are those of `sensor_msgs/distortion_models`; the equations are in `geometry.plane_distortion` (OpenCV's
order of coefficients) and `geometry.wide_lenses`.
"""

import re

import numpy as np
from numpy.typing import ArrayLike

from monodepth_ros.errors import MonodepthError
from monodepth_ros.foreign_text import shown
from monodepth_ros.limits import LARGEST_COEFFICIENT, MOST_COEFFICIENTS

PLANE, WIDE, NONE = "plumb_bob", "equidistant", "none"
MODELS = ("plumb_bob", "rational_polynomial", "equidistant", "fov", "double_sphere", "eucm", "omnidirectional")

# Other names, without case, spaces, hyphens and underscores. Those of OpenCV's model do not tell how many of its
# coefficients are used: their number does. The RealSense SDK's inverse and modified Brown-Conrady differ from it in the
# tangential terms alone, by the product of two small numbers (findings/realsense_deprojection_is_no_inverse.sh).
SYNONYMS = {
    "": NONE,
    "none": NONE,
    "null": NONE,
    "ideal": NONE,
    "rectified": NONE,
    "rectilinear": NONE,
    "undistorted": NONE,
    "nodistortion": NONE,
    "plumbbob": PLANE,
    "pinhole": PLANE,
    "perspective": PLANE,
    "opencv": PLANE,
    "radtan": PLANE,
    "radtan8": "rational_polynomial",
    "radialtangential": PLANE,
    "brown": PLANE,
    "brownconrady": PLANE,
    "inversebrownconrady": PLANE,
    "modifiedbrownconrady": PLANE,
    "rational": "rational_polynomial",
    "rationalpolynomial": "rational_polynomial",
    "rational6kt": "rational_polynomial",
    "thinprism": "rational_polynomial",
    "fisheye": WIDE,
    "opencvfisheye": WIDE,
    "equidistant": WIDE,
    "equi": WIDE,
    "kannalabrandt": WIDE,
    "kannalabrandt4": WIDE,
    "kannalabrandt8": WIDE,
    "kb": WIDE,
    "kb4": WIDE,
    "fov": "fov",
    "ftheta": "fov",
    "atan": "fov",
    "ds": "double_sphere",
    "doublesphere": "double_sphere",
    "eucm": "eucm",
    "extendedunified": "eucm",
    "omni": "omnidirectional",
    "omnidirectional": "omnidirectional",
    "omniradtan": "omnidirectional",
    "mei": "omnidirectional",
}
# Numbers of coefficients that say what each of them is; the last is the full length.
LENGTHS = {
    "plumb_bob": (4, 5, 8, 12, 14),
    "rational_polynomial": (4, 5, 8, 12, 14),
    "equidistant": (4,),
    "fov": (1,),
    "double_sphere": (2,),
    "eucm": (2,),
    "omnidirectional": (1, 5),
}


class CalibrationError(MonodepthError):
    """An impossible calibration: camera_info, calibration file or camera matrix."""


def check_distortion(model: str, coefficients: ArrayLike) -> tuple[str, np.ndarray]:
    """One of MODELS and its coefficients in full length, from a name that a driver or a tool uses.

    Coefficients that are all zero, or none, mean a pinhole whatever the model, as in ROS's image_geometry: plumb_bob
    with five zeros. Zeros beyond the coefficients of a model are dropped; plumb_bob with k4 to k6, thin prism or tilt
    terms other than zero is rational_polynomial. Raises CalibrationError for an unknown model, a wrong number of
    coefficients and values that are not finite or out of range.
    """
    values = np.array(coefficients, dtype=np.float64).reshape(-1) + 0.0  # -0.0 becomes 0.0: equal models, equal bytes
    if values.size > MOST_COEFFICIENTS:
        raise CalibrationError(f"D has {values.size} distortion coefficients, expected at most {LENGTHS[PLANE][-1]}")
    if not (np.abs(values) <= LARGEST_COEFFICIENT).all():
        raise CalibrationError(
            f"distortion coefficients are {values.tolist()}, expected finite numbers up to {LARGEST_COEFFICIENT:g}"
        )
    if not values.any():
        return PLANE, np.zeros(5)
    known = _known(model)
    if known == NONE:
        name = f"'{shown(model)}'" if model else "empty"
        raise CalibrationError(
            f"distortion model is {name} but its coefficients are {values.tolist()}, "
            f"expected one of {', '.join(MODELS)}"
        )
    if known not in MODELS:
        raise CalibrationError(f"distortion model is '{shown(model)}', expected one of {', '.join(MODELS)}")
    return (_on_the_plane if known in (PLANE, "rational_polynomial") else _wide)(known, model, values)


def zero_fisheye_note(model: str, coefficients: ArrayLike) -> str:
    """What a user should know of a fisheye model without coefficients, which is read as a pinhole; '' for others."""
    known = _known(model)
    if known not in ("equidistant", "fov", "double_sphere", "eucm", "omnidirectional") or np.any(coefficients):
        return ""
    return (
        f"all coefficients of the '{shown(model)}' distortion are zero: the images are taken as those of a pinhole "
        "without distortion, as ROS's image_geometry takes them; if the lens is a fisheye, calibrate it"
    )


def _known(model: str) -> str:
    """One of MODELS or NONE for a name, without what a library's enumerations put before it; others as they are."""
    plain = re.sub(r"[\s_-]", "", model).lower().rpartition(".")[2].removeprefix("rs2distortion")
    return SYNONYMS.get(plain, model)


def _on_the_plane(known: str, name: str, values: np.ndarray) -> tuple[str, np.ndarray]:
    values = _of_length(known, name, values)
    used = np.flatnonzero(values)[-1] + 1
    if known == PLANE and used <= 5:
        return PLANE, _padded(values, 5)
    return "rational_polynomial", _padded(values, next(length for length in (8, 12, 14) if used <= length))


def _wide(known: str, name: str, values: np.ndarray) -> tuple[str, np.ndarray]:
    if known == WIDE and values.size < 4:  # RADIAL_FISHEYE and the like: the first ones of the series
        values = _padded(values, 4)
    values = _padded(_of_length(known, name, values), LENGTHS[known][-1])
    first, second = [*values.tolist(), 0.0][:2]
    fits, expected = {
        "fov": (0 < first < np.pi, "w above 0 and below pi"),
        "double_sphere": (first > -1 and 0 <= second <= 1, "xi above -1 and alpha from 0 to 1"),
        "eucm": (0 <= first <= 1 and second > 0, "alpha from 0 to 1 and beta above 0"),
        "omnidirectional": (first > -1, "xi above -1"),
    }.get(known, (True, ""))
    if not fits:
        raise CalibrationError(f"{name} has coefficients {values.tolist()}, expected {expected}")
    return known, values


def _of_length(known: str, name: str, values: np.ndarray) -> np.ndarray:
    """The values without zeros that are too many for the model."""
    used = int(np.flatnonzero(values)[-1]) + 1
    lengths = LENGTHS[known]
    if values.size in lengths:
        return values
    fitting = [length for length in lengths if used <= length <= values.size]
    if not fitting:
        raise CalibrationError(
            f"{name} has {values.size} distortion coefficients, expected {' or '.join(map(str, lengths))}"
        )
    return values[: fitting[0]]


def _padded(values: np.ndarray, length: int) -> np.ndarray:
    full = np.zeros(length)
    full[: min(length, values.size)] = values[:length]
    return full
