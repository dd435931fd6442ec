# SPDX-License-Identifier: Apache-2.0
"""The numbers of a sensor_msgs/CameraInfo as drivers state them, and what they say about the published image.

REP-104: width, height, K and P are those of the full image; roi and binning lead from it to the published one. Drivers
also publish K and P of the published image beside binning or roi, divided by the image's size, or P alone. Where one
reading puts the principal point near the middle of the image and the standard one does not, that reading is taken.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from monodepth_ros.geometry.calibration_checks import check_intrinsics, checked_matrix, checked_size
from monodepth_ros.geometry.lenses.distortion import CalibrationError
from monodepth_ros.geometry.lenses.distortion_models import zero_fisheye_note

# The principal point of a lens lies within this distance from the middle, in each axis [share of the image's side]. A
# reading other than REP-104's is taken within CLOSE, where REP-104's is not.
CENTRAL, CLOSE = 0.25, 0.15
# Numbers of coefficients that only OpenCV's model has.
UNNAMED = (5, 8, 12, 14)
SMALLEST = 16  # pixels: in smaller images a focal length of 1 is possible


@dataclass(frozen=True, eq=False)
class StatedCalibration:
    """Calibration of the full image, and the way to the published one.

    width, height [pixels], K (3, 3), D, model, R (3, 3), P (3, 4): as in CameraModel. crop: x, y, width, height of the
    published part of the full image. binning: full pixels per published pixel, for each axis. is_off_centre: the crop
    explains a principal point far from the middle. note: which other reading than REP-104's was taken and why, or ''.
    """

    width: int
    height: int
    K: np.ndarray
    D: Any
    model: str
    R: np.ndarray
    P: np.ndarray
    crop: tuple[int, int, int, int]
    binning: tuple[int, int] = (1, 1)
    is_off_centre: bool = False
    note: str = ""

    @property
    def published_size(self) -> tuple[int, int]:
        """(width, height) of the published image [pixels]."""
        return self.crop[2] // self.binning[0], self.crop[3] // self.binning[1]

    @property
    def to_published(self) -> np.ndarray | None:
        """(3, 3): pixels of the full image to those of the published one; None for the identity."""
        if self.crop == (0, 0, self.width, self.height) and self.binning == (1, 1):
            return None
        return _binned(*self.binning) @ _shifted(*self.crop[:2])


def stated_calibration(info: Any, image_size: tuple[int, int] | None = None) -> StatedCalibration:
    """The calibration of an object with the fields of sensor_msgs/CameraInfo (k, d, r, p, or K, D, R, P as in ROS 1).

    image_size: (width, height) of the published images [pixels], None if unknown; it stands for a size of 0x0, and
    tells whether binning and roi are in the stated size already. A roi of zero width or height means the full image.
    Raises CalibrationError for a size of 0x0 of unknown images, a roi outside of the image, a binning that leaves no
    pixel, and numbers that are not finite.
    """
    names = (name if hasattr(info, name) else name.upper() for name in "kdrp")
    k, d, r, p = (getattr(info, name) for name in names)
    K, R, P = checked_matrix("K", k, 3, 3), checked_matrix("R", r, 3, 3), checked_matrix("P", p, 3, 4)
    model = info.distortion_model
    note = zero_fisheye_note(model, d)
    stated_size = info.width, info.height
    if stated_size == (0, 0) and image_size is not None:
        stated_size = image_size
        note = _joined(note, f"it states no size (0x0): that of the images is taken, {image_size[0]}x{image_size[1]}")
    width, height = checked_size(*stated_size)
    if not model and np.size(d) in UNNAMED and np.any(d):
        model = "rational_polynomial" if np.size(d) > 5 else "plumb_bob"
        note = _joined(note, f"distortion_model is empty: the {np.size(d)} coefficients are taken as {model}")
    if K[0, 0] == 0 and P[0, 0] > 0:
        K, d, model, R = P[:, :3].copy(), (), "", np.eye(3)
        note = "it holds P alone (K is zero), the calibration of rectified images: P is taken, without distortion"
    crop = _crop(info, width, height)
    binning = _binning(info, crop)
    found = StatedCalibration(width, height, K=K, D=d, model=model, R=R, P=P, crop=crop, binning=binning, note=note)
    if K[0, 0] == 0:
        return found
    check_intrinsics("K", K)
    normalized = _normalized(found)
    if normalized is not None:
        return normalized
    return _by_image_size(found, image_size) or _reading(found)


def is_central(K: np.ndarray, width: float, height: float) -> bool:
    """Whether the principal point of K (3, 3) lies in the middle half of an image of this size [pixels]."""
    return off_centre(K, width, height) <= CENTRAL


def off_centre(K: np.ndarray, width: float, height: float) -> float:
    """Distance of the principal point from the middle, as a share of the image's side, in the worse axis."""
    return max(abs((K[0, 2] + 0.5) / width - 0.5), abs((K[1, 2] + 0.5) / height - 0.5))


def _crop(info: Any, width: int, height: int) -> tuple[int, int, int, int]:
    roi = getattr(info, "roi", None)
    if roi is None or not (roi.width and roi.height):
        return 0, 0, width, height
    x, y, columns, rows = int(roi.x_offset), int(roi.y_offset), int(roi.width), int(roi.height)
    if x + columns > width or y + rows > height:
        raise CalibrationError(
            f"camera_info has roi {columns}x{rows} at ({x}, {y}), which leaves the "
            f"{width}x{height} image: width and height must be those of the full image"
        )
    return x, y, columns, rows


def _binning(info: Any, crop: tuple[int, int, int, int]) -> tuple[int, int]:
    x, y = (max(1, int(getattr(info, name, 0))) for name in ("binning_x", "binning_y"))
    if x > crop[2] or y > crop[3]:
        raise CalibrationError(
            f"camera_info has binning {x}x{y} of a {crop[2]}x{crop[3]} image, which leaves no pixel: expected the "
            "number of full pixels per published one"
        )
    return x, y


def _normalized(stated: StatedCalibration) -> StatedCalibration | None:
    """K and P in pixels, if they are divided by the size of the published image; None if they are not."""
    K, (width, height) = stated.K, stated.published_size
    if min(width, height) < SMALLEST or not (0 < K[0, 2] < 1.5 and 0 < K[1, 2] < 1.5):
        return None
    for scales in ((width, height), (width, width), (height, height)):
        scaled = np.diag([*scales, 1.0]) @ K
        if is_central(scaled, width, height) and 0.8 < scaled[0, 0] / scaled[1, 1] < 1.25:
            break
    else:
        return None
    P = np.diag([*scales, 1.0]) @ stated.P if 0 < stated.P[0, 2] < 1.5 else stated.P
    by = "width and height" if scales[0] != scales[1] else "width" if scales[0] == width else "height"
    note = (
        f"K is divided by the image's {by} (fx {K[0, 0]:.3g}, cx {K[0, 2]:.3g} for {width}x{height} pixels): it is"
        f" multiplied by it again, fx {scaled[0, 0]:.4g}"
    )
    full = (0, 0, width, height)
    note = _joined(stated.note, note)
    return replace(stated, width=width, height=height, K=scaled, P=P, crop=full, binning=(1, 1), note=note)


def _by_image_size(stated: StatedCalibration, image_size: tuple[int, int] | None) -> StatedCalibration | None:
    """The reading of binning and roi whose image has the size of the published ones, if REP-104's has not."""
    way = stated.to_published
    width, height = stated.width, stated.height
    if way is None or image_size != (width, height) or stated.published_size == image_size:
        return None
    what = "binning is" if stated.binning != (1, 1) else "roi is"
    whole = replace(stated, crop=(0, 0, width, height), binning=(1, 1))
    if is_central(stated.K, width, height):
        note = f"{what} in its size and in K already: the images are {width}x{height}, and K is taken as it is"
        return replace(whole, note=_joined(stated.note, note))
    if is_central(way @ stated.K, width, height):
        note = f"{what} in its size already, and not in K: the images are {width}x{height}, and K is converted to them"
        return replace(whole, K=way @ stated.K, P=way @ stated.P, note=_joined(stated.note, note))
    return None


def _reading(stated: StatedCalibration) -> StatedCalibration:
    """The reading of binning and roi that fits the principal point."""
    width, height = stated.published_size
    way = stated.to_published
    if way is None:
        return stated
    if is_central(stated.K, stated.width, stated.height):
        return replace(stated, is_off_centre=True)
    if off_centre(way @ stated.K, width, height) <= CLOSE:
        return stated
    x, y, columns, rows = stated.crop
    bx, by = stated.binning
    readings = {
        "binning and roi are": (0, 0, columns // bx, rows // by, 1, 1),
        "binning is": (x // bx, y // by, columns // bx, rows // by, 1, 1),
        "roi is": (0, 0, columns, rows, bx, by),
    }
    if (x, y, columns, rows) == (0, 0, stated.width, stated.height):
        readings = {"binning is": readings["binning and roi are"]}
    elif (bx, by) == (1, 1):
        readings = {"roi is": readings["binning and roi are"]}
    ways = {what: _binned(*rest[4:]) @ _shifted(*rest[:2]) for what, rest in readings.items()}
    what = min(ways, key=lambda name: off_centre(ways[name] @ stated.K, width, height))
    if off_centre(ways[what] @ stated.K, width, height) > CLOSE:
        return stated
    left, top, wide, high, per_x, per_y = readings[what]
    share = 100 * (stated.K[0, 2] + 0.5) / stated.width
    note = (
        f"{what} in K already: its principal point ({stated.K[0, 2]:.1f}, {stated.K[1, 2]:.1f}) lies at"
        f" {share:.0f} % of the width of the full {stated.width}x{stated.height} image, and near the middle of the"
        f" published {width}x{height}: K is taken as it is"
    )
    note = _joined(stated.note, note)
    whole = left + wide, top + high
    return replace(
        stated, width=whole[0], height=whole[1], crop=(left, top, wide, high), binning=(per_x, per_y), note=note
    )


def _joined(*notes: str) -> str:
    return "; ".join(filter(None, notes))


def _binned(x: int, y: int) -> np.ndarray:
    return np.array([[1 / x, 0, 0.5 / x - 0.5], [0, 1 / y, 0.5 / y - 0.5], [0, 0, 1]])


def _shifted(x: int, y: int) -> np.ndarray:
    return np.array([[1.0, 0, -x], [0, 1, -y], [0, 0, 1]])
