# SPDX-License-Identifier: Apache-2.0
"""Rectify, crop and resize an image in one step: render it as a pinhole camera at the same place would see it.

Training, evaluation and the live node share this step, because the filter affects a network's accuracy and even its
metric scale.

A plain crop or resize is one call of cv2.resize; everything else is one remap. Bilinear sampling of a finer source
aliases; bilinear sampling of a source that was first shrunk to the target's density blurs (RMSE against exact pixel
areas on a street image shrunk 1.94 times: 3.1 and 5.2 of 255). For 'area' the remap therefore samples twice as densely
as the target, and a 2x2 mean follows (RMSE 0.6). A source that is over four times finer is first shrunk by an integer
factor, the fast path of INTER_AREA.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

import cv2
import numpy as np

from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import SAME_PIXELS, SAME_ROTATION, CalibrationError, CameraModel
from monodepth_ros.geometry.intrinsics import to_pixels
from monodepth_ros.geometry.lanczos import lanczos_resize
from monodepth_ros.geometry.lenses.distortion import distort, domain_radius

FILTERS = ("area", "bilinear", "lanczos")
OVERSAMPLE_FROM = 1.25  # source pixels per target pixel above which two samples per axis are better than one
FAR = 1e4  # normalised radius that stands for 90 degrees off the axis
KEPT_TABLES = 8
Size = tuple[int, int]  # width, height
Box = tuple[int, int, int, int]  # x, y, width, height


@dataclass(frozen=True)
class _Tables:
    """The precomputed steps of a resampler: crop to `box`, resize to `shrunk`, remap by `maps` to `sampled`."""

    box: Box
    shrunk: Size
    sampled: Size
    maps: tuple[np.ndarray, np.ndarray] | None
    valid: np.ndarray | None
    coverage: float


class Resampler:
    """Resampling from images of `source` to images of `target`, an undistorted camera at the same place.

    A ray of the target is rotated by target.R (the identity for a rectified camera) and source.R^T, distorted, and
    projected with the source's K. filter: 'area' (means where the source is finer, bilinear where it is coarser),
    'bilinear' (one sample per pixel, which aliases when it shrinks) or 'lanczos' (antialiased Lanczos-3).

    valid: (H, W) bool, read-only: the target pixels that the source sees; None if it sees all of them. The others take
    the nearest border colour. coverage: the fraction of valid pixels. Tables are cached by the cameras' keys, so a
    second resampler for the same cameras is cheap. Two uncalibrated cameras mean a resize of the whole image.

    Raises CalibrationError if the target is distorted or only one of the two cameras is calibrated.
    """

    def __init__(self, source: CameraModel, target: CameraModel, filter: str = "area"):
        if filter not in FILTERS:
            raise MonodepthError(f"resampling filter is '{filter}', expected one of {', '.join(FILTERS)}")
        if target.is_distorted:
            raise CalibrationError(
                f"target camera has {target.distortion_model} distortion, expected a pinhole: use its rectified() model"
            )
        if source.is_calibrated != target.is_calibrated:
            which = "target" if source.is_calibrated else "source"
            raise CalibrationError(f"{which} camera is uncalibrated (K[0] is 0): calibrate it")
        self.source, self.target, self.filter = source, target, filter
        self._tables = _cached_tables(source, target, filter)
        self.valid, self.coverage = self._tables.valid, self._tables.coverage

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Resample a uint8 or float32 image (H, W) or (H, W, C) of the source's size; keeps the type.

        If nothing changes, the result shares the image's memory. Raises MonodepthError for another type and
        CalibrationError for another size.
        """
        source, target, tables = self.source, self.target, self._tables
        if image.dtype != np.uint8 and image.dtype != np.float32:
            raise MonodepthError(f"image holds {image.dtype}, expected uint8 or float32")
        if image.ndim not in (2, 3) or image.shape[:2] != (source.height, source.width):
            raise CalibrationError(
                f"image has shape {image.shape}, its calibration is for {source.width}x{source.height}: "
                "use the camera_info that belongs to the image"
            )
        x, y, width, height = tables.box
        result = _resize(image[y : y + height, x : x + width], tables.shrunk, self.filter)
        if tables.maps is not None:
            sampling = cv2.INTER_LANCZOS4 if self.filter == "lanczos" else cv2.INTER_LINEAR
            result = cv2.remap(result, *tables.maps, sampling, borderMode=cv2.BORDER_REPLICATE)
            result = _resize(result, (target.width, target.height), "area")
        return result.reshape(target.height, target.width, *image.shape[2:])  # OpenCV drops a single channel


def _resize(image: np.ndarray, size: Size, filter: str) -> np.ndarray:
    """Resize to (width, height), antialiased if the filter is."""
    height, width = image.shape[:2]
    if (width, height) == size:
        return np.ascontiguousarray(image)
    if filter == "lanczos":
        return lanczos_resize(image, *size)
    smaller = (min(width, size[0]), min(height, size[1]))
    if filter == "area" and smaller != (width, height):
        image = cv2.resize(image, smaller, interpolation=cv2.INTER_AREA)
        if smaller == size:
            return image
    return cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)


_cache: OrderedDict[tuple, _Tables] = OrderedDict()
_cache_lock = threading.Lock()


def _cached_tables(source: CameraModel, target: CameraModel, filter: str) -> _Tables:
    key = (source.key, target.key, filter)
    with _cache_lock:
        if key in _cache:
            _cache.move_to_end(key)
            return _cache[key]
    tables = _make_tables(source, target, filter)
    with _cache_lock:
        _cache[key] = tables
        while len(_cache) > KEPT_TABLES:
            _cache.popitem(last=False)
    return tables


def _make_tables(source: CameraModel, target: CameraModel, filter: str) -> _Tables:
    size = (target.width, target.height)
    box = _plain_box(source, target)
    if box is not None:
        return _Tables(box, size, size, None, None, 1.0)
    x, y, visible = _source_pixels(source, target, np.arange(size[0]), np.arange(size[1]))
    finer_source, finer_target = _densities(source, target)
    box, shrunk, sampled = (0, 0, source.width, source.height), (source.width, source.height), size
    if filter == "area":
        factor_x, factor_y = (2 if density > OVERSAMPLE_FROM else 1 for density in finer_target)
        sampled = (size[0] * factor_x, size[1] * factor_y)
        spans = [
            _whole_blocks(coordinate, max(1, int(density / 2)), side)
            for coordinate, density, side in zip((x, y), finer_source, shrunk)
        ]
        (x0, width, kx), (y0, height, ky) = spans
        box, shrunk = (x0, y0, width, height), (width // kx, height // ky)
    elif filter == "lanczos":
        width, height = (max(1, round(side / max(1.0, d))) for side, d in zip(shrunk, finer_source))
        shrunk = (width, height)
    if sampled != size:
        u, v = ((np.arange(many) + 0.5) * one / many - 0.5 for many, one in zip(sampled, size))
        x, y, _ = _source_pixels(source, target, u, v)
    x = (x - box[0] + 0.5) * (shrunk[0] / box[2]) - 0.5
    y = (y - box[1] + 0.5) * (shrunk[1] / box[3]) - 0.5
    x, y = np.clip(x, -8, shrunk[0] + 8), np.clip(y, -8, shrunk[1] + 8)  # the maps have 16 bits
    maps = cv2.convertMaps(x.astype(np.float32), y.astype(np.float32), cv2.CV_16SC2)
    visible.setflags(write=False)
    return _Tables(box, shrunk, sampled, maps, None if visible.all() else visible, float(visible.mean()))


def _rotation(source: CameraModel, target: CameraModel) -> np.ndarray:
    """R_source_target: both cameras share the rectified orientation."""
    return source.R.T @ target.R


def _plain_box(source: CameraModel, target: CameraModel) -> Box | None:
    """The window of the source whose resize is the target; None if no window is."""
    if not source.is_calibrated:
        return 0, 0, source.width, source.height
    if source.is_distorted or np.abs(_rotation(source, target) - np.eye(3)).max() > SAME_ROTATION:
        return None
    axes = (
        (source.fx, source.cx, source.width, target.fx, target.cx, target.width),
        (source.fy, source.cy, source.height, target.fy, target.cy, target.height),
    )
    box = []
    for f, c, side, target_f, target_c, target_side in axes:
        density = f / target_f
        start, end = (c + 0.5 + density * (edge - target_c - 0.5) for edge in (0, target_side))
        first, last = round(start), round(end)
        if max(abs(start - first), abs(end - last)) > SAME_PIXELS or not 0 <= first < last <= side:
            return None
        box.append((first, last - first))
    (x, width), (y, height) = box
    return x, y, width, height


def _source_pixels(
    source: CameraModel, target: CameraModel, u: np.ndarray, v: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Source pixels x, y (V, U) of the target's columns u and rows v, and whether the source sees them.

    x and y are finite everywhere: a ray outside the source's domain is moved to the domain's edge in the same direction
    from the axis, so that the border colour continues outwards.
    """
    rays = np.empty((len(v), len(u), 3))
    rays[..., 0] = (u - target.cx) / target.fx
    rays[..., 1] = ((v - target.cy) / target.fy)[:, None]
    rays[..., 2] = 1.0
    rays = rays @ _rotation(source, target).T
    limit = min(domain_radius(source.distortion_model, source.D), FAR)
    across = np.hypot(rays[..., 0], rays[..., 1])
    seen = (rays[..., 2] > 0) & (across < limit * rays[..., 2])
    depth = np.where(seen, rays[..., 2], np.maximum(across, 1e-12) / (limit * (1 - 1e-9)))
    ideal = rays[..., :2] / depth[..., None]
    bent = distort(ideal, source.distortion_model, source.D)
    seen &= np.isfinite(bent[..., 0])
    bent = np.where(np.isfinite(bent), bent, ideal)
    x, y = np.moveaxis(to_pixels(source.K, bent), -1, 0)
    seen &= (x >= -0.5) & (x <= source.width - 0.5) & (y >= -0.5) & (y <= source.height - 0.5)
    return x, y, seen


def _densities(source: CameraModel, target: CameraModel) -> tuple[np.ndarray, np.ndarray]:
    """Source pixels per target pixel near the source's axis, (2,) each: along the source's x, y and the target's."""
    axis = _rotation(source, target).T[:, 2]  # the source's optical axis in the target
    u, v = (target.width - 1) / 2, (target.height - 1) / 2
    if axis[2] > 0:
        u = np.clip(target.cx + target.fx * axis[0] / axis[2], 0, target.width - 1)
        v = np.clip(target.cy + target.fy * axis[1] / axis[2], 0, target.height - 1)
    x, y, _ = _source_pixels(source, target, u + np.array([-0.5, 0, 0.5]), v + np.array([-0.5, 0, 0.5]))
    jacobian = np.array([[x[1, 2] - x[1, 0], x[2, 1] - x[0, 1]], [y[1, 2] - y[1, 0], y[2, 1] - y[0, 1]]])
    return np.linalg.norm(jacobian, axis=1), np.linalg.norm(jacobian, axis=0)


def _whole_blocks(coordinate: np.ndarray, block: int, side: int) -> tuple[int, int, int]:
    """Start, length and block size of the needed part of a source axis, in whole blocks."""
    if block == 1:
        return 0, side, 1
    block = min(block, side)
    first = int(np.clip(np.floor(coordinate.min()) - 2 * block, 0, side - block))
    last = int(np.clip(np.ceil(coordinate.max()) + 2 * block, first + block, side))
    return first, (last - first) // block * block, block
