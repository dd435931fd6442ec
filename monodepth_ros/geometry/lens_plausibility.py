# SPDX-License-Identifier: Apache-2.0
"""Calibrations that no lens has: field of view, principal point, shape of the pixels, folding distortion."""

import math

import numpy as np

from monodepth_ros.geometry.camera import CalibrationError, CameraModel
from monodepth_ros.geometry.lenses.distortion import domain_radius
from monodepth_ros.geometry.stated_calibration import CENTRAL, is_central, off_centre

WIDEST, NARROWEST = 175.0, 3.0  # horizontal field of view of a pinhole [degrees]
WIDEST_FISHEYE = 300.0
IMPOSSIBLE = 179.5, 0.05  # no lens reaches these fields of view [degrees]
SQUARE = 1.25  # largest ratio of the two focal lengths
NARROWED = 0.5  # smallest share of the field of view by fx that a distortion leaves
BLIND = 0.1  # largest share of pixels that the distortion model does not reach; corners are often left out
GUESS = 0.1  # distance from the middle up to which another size explains a principal point
GRID = 33  # places along each side at which the distortion is examined


def lens_problem(camera: CameraModel, is_off_centre: bool = False) -> str:
    """Why a calibration can hardly be that of the images, with the number and the likely cause; '' for a usual lens.

    camera: of the published images. is_off_centre: a known crop explains a principal point far from the middle. Raises
    CalibrationError if no part of the calibration can be right.
    """
    if not camera.is_calibrated:
        return ""
    return (
        _wrong_field(camera)
        or ("" if is_off_centre else _wrong_centre(camera))
        or _squeezed(camera)
        or _folded(camera)
        or _narrowed(camera)
    )


def _wrong_field(camera: CameraModel) -> str:
    half = camera.width / (2 * camera.fx)
    is_fisheye = _is_fisheye(camera)
    angle = math.degrees(2 * (half if is_fisheye else math.atan(half)))
    text = f"fx {camera.fx:.4g} is a field of view of {angle:.4g} degrees for images {camera.width} pixels wide"
    if not is_fisheye and not IMPOSSIBLE[1] < angle < IMPOSSIBLE[0]:
        raise CalibrationError(f"{text}: expected K in pixels")
    if angle > (WIDEST_FISHEYE if is_fisheye else WIDEST):
        return f"{text}: is K in other units than pixels (divided by the image's size, or in millimetres)?"
    if angle < NARROWEST:
        return f"{text}: is K in other units than pixels, or of another camera?"
    return ""


def _is_fisheye(camera: CameraModel) -> bool:
    """Whether the image radius is not the tangent of the angle, so that the field of view may exceed 180 degrees."""
    return camera.is_distorted and camera.distortion_model not in ("plumb_bob", "rational_polynomial")


def _wrong_centre(camera: CameraModel) -> str:
    width, height = camera.width, camera.height
    if is_central(camera.K, width, height):
        return ""
    across, down = (camera.cx + 0.5) / width, (camera.cy + 0.5) / height
    text = (
        f"the principal point ({camera.cx:.1f}, {camera.cy:.1f}) lies at {100 * across:.0f} % of the width and"
        f" {100 * down:.0f} % of the height of the {width}x{height} image"
    )
    if off_centre(camera.K, height, width) < GUESS:
        return f"{text}: K fits an image of {height}x{width}; are width and height swapped, or the images turned?"
    if across > 0 and down > 0 and abs(across / down - 1) < 0.2:
        fits = f"{round(2 * camera.cx + 1)}x{round(2 * camera.cy + 1)}"
        return f"{text}: K fits an image of {fits}; is it of another resolution, or is binning or roi stated wrongly?"
    expected = f"expected {50 - 100 * CENTRAL:.0f} to {50 + 100 * CENTRAL:.0f} %"
    return f"{text} ({expected}): are the images cropped, or is it the calibration of another camera?"


def _squeezed(camera: CameraModel) -> str:
    ratio = camera.fx / camera.fy
    if 1 / SQUARE <= ratio <= SQUARE:
        return ""
    return (
        f"fx {camera.fx:.4g} and fy {camera.fy:.4g} differ by a factor of {max(ratio, 1 / ratio):.2f}: are the images"
        " squeezed, binned in one axis, or is it the calibration of another aspect?"
    )


def _folded(camera: CameraModel) -> str:
    if not camera.is_distorted:
        return ""
    if _is_fisheye(camera) and not math.isfinite(domain_radius(camera.distortion_model, camera.D)):
        return ""  # it folds nowhere, and may look behind itself
    u, v = (np.linspace(-0.5, side - 0.5, GRID) for side in (camera.width, camera.height))
    rays = camera.backproject(np.stack(np.meshgrid(u, v), axis=-1), np.ones((GRID, GRID)))
    blind = float(np.mean(~np.isfinite(rays).all(axis=-1)))
    if blind <= BLIND:
        return ""
    return (
        f"the {camera.distortion_model} distortion folds inside the image: no ray reaches {100 * blind:.0f} % of the"
        " pixels; is D of another camera or resolution, or fitted without corners of the board near the border?"
    )


def _narrowed(camera: CameraModel) -> str:
    """A distortion that presses the picture into the middle of the image, as no lens does."""
    if not camera.is_distorted:
        return ""
    edges = np.array([[-0.5, camera.cy], [camera.width - 0.5, camera.cy]])
    rays = camera.backproject(edges, np.ones(2))[:, :2]
    seen = float(np.degrees(np.arctan(np.linalg.norm(rays, axis=1)).sum()))
    straight = np.abs(edges[:, 0] - camera.cx) / camera.fx
    expected = float(np.degrees((straight if _is_fisheye(camera) else np.arctan(straight)).sum()))
    if not seen < NARROWED * expected:  # also NaN, which is _folded's
        return ""
    return (
        f"by fx {camera.fx:.4g} the field of view is {expected:.0f} degrees, by the {camera.distortion_model}"
        f" distortion {camera.D.tolist()} only {seen:.0f}: are the coefficients those of another model, or in another"
        " order?"
    )
