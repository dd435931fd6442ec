# SPDX-License-Identifier: Apache-2.0
"""Exact places of a segment's points: each one's patch in one keyframe, aligned with all others by an affine warp.

Optical flow compares square patches. A surface that the camera approaches grows and slants, which moves what optical
flow finds by tenths of a pixel, always to the same side; a focal length that depends on small rotations is then wrong
by many percent. The affine warp follows the growth and the slant (Shi and Tomasi 1994; solved by inverse compositional
alignment, Baker and Matthews 2004, with gain and offset removed).
"""

from dataclasses import replace

import cv2
import numpy as np

from monodepth_ros.calibration.tracks import Segment

RADIUS = 7  # of a patch [pixels to each side of the centre]
WINDOW = 4.0  # standard deviation of the weights in a patch [pixels]
SMOOTHING = 0.7  # of the images [pixels]
ITERATIONS = 10
MAX_STEP = 1.0  # [pixels per iteration]
STIFFNESS = 0.02  # relative damping of the four terms of the warp's shape
MAX_MOVE = 1.5  # largest distance from the pixel of optical flow [pixels]
MIN_LIKENESS = 0.9
MIN_CORNERNESS = 1e-3  # smallest determinant over squared trace of the structure matrix

_SIDE = np.arange(-RADIUS, RADIUS + 1, dtype=np.float32)
_OFFSETS = np.stack(np.meshgrid(_SIDE, _SIDE)).reshape(2, -1)
_WEIGHTS = np.exp(-0.25 * (_OFFSETS**2).sum(axis=0) / WINDOW**2)  # square root of a Gaussian


def align(segment: Segment, scale: np.ndarray) -> tuple[Segment, np.ndarray]:
    """The segment with refined pixels, and its points (P,) bool that are left.

    Sightings whose patches do not look alike are dropped. Without images the segment stays as it is.

    scale: (K,) size of each point in the sighting's keyframe, in any unit of the point, such as the focal length over
    the depth. The patch comes from the sighting in the middle of the track.
    """
    if not segment.images:
        return segment, np.ones(segment.points, bool)
    images = [cv2.GaussianBlur(image.astype(np.float32), (0, 0), SMOOTHING) for image in segment.images]
    starts = np.searchsorted(segment.point, np.arange(segment.points + 1))
    middle = np.minimum((starts[:-1] + starts[1:]) // 2, len(segment.point) - 1)
    template, inverse, jacobian, is_corner = _templates(images, segment.frame[middle], segment.pixel[middle])
    point = segment.point
    is_middle = np.zeros(len(point), bool)
    is_middle[middle] = True
    grown = scale / scale[middle][point]
    usable = is_corner[point] & (grown > 0.25) & (grown < 4.0) & ~is_middle
    pixel, kept = segment.pixel.copy(), is_middle & is_corner[point]
    for frame, image in enumerate(images):
        chosen = np.flatnonzero(usable & (segment.frame == frame))
        if not len(chosen):
            continue
        at = point[chosen]
        place, likeness = _aligned(image, template[at], jacobian[at], inverse[at], segment.pixel[chosen], grown[chosen])
        is_good = (likeness > MIN_LIKENESS) & (np.linalg.norm(place - segment.pixel[chosen], axis=1) < MAX_MOVE)
        pixel[chosen], kept[chosen] = place, is_good
    return replace(segment, pixel=pixel).select(kept)


def _templates(
    images: list[np.ndarray], frame: np.ndarray, pixel: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Normalised patches (P, n), inverse normal matrices (P, 6, 6), Jacobians (P, 6, n), and which are corners (P,)."""
    count = len(frame)
    patches, dx, dy = (np.zeros((count, _OFFSETS.shape[1]), np.float32) for _ in range(3))
    identity = np.broadcast_to(np.eye(2), (count, 2, 2))
    for number, image in enumerate(images):
        chosen = frame == number
        if not chosen.any():
            continue
        slopes = 0.5 * cv2.Sobel(image, cv2.CV_32F, 1, 0, ksize=1), 0.5 * cv2.Sobel(image, cv2.CV_32F, 0, 1, ksize=1)
        for source, target in ((image, patches), (slopes[0], dx), (slopes[1], dy)):
            target[chosen] = _sample(source, pixel[chosen], identity[chosen])
    dx, dy = dx * _WEIGHTS, dy * _WEIGHTS
    x, y = _OFFSETS
    template, contrast = _normalized(patches)
    jacobian = np.stack([dx, dy, dx * x, dx * y, dy * x, dy * y], axis=1) / contrast[:, None, None]
    normal = np.einsum("pin,pjn->pij", jacobian, jacobian)
    trace, determinant = normal[:, 0, 0] + normal[:, 1, 1], np.linalg.det(normal[:, :2, :2])
    is_corner = determinant > MIN_CORNERNESS * trace**2
    normal[:, range(2, 6), range(2, 6)] *= 1.0 + STIFFNESS
    normal += (1e-6 * trace + 1e-9)[:, None, None] * np.eye(6)
    return template, np.linalg.inv(normal), jacobian, is_corner


def _aligned(
    image: np.ndarray,
    template: np.ndarray,
    jacobian: np.ndarray,
    inverse: np.ndarray,
    pixel: np.ndarray,
    grown: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (N, 2) at which the image looks most like the templates, and the correlation coefficients (N,) there."""
    place = pixel.astype(np.float64)
    warp = grown[:, None, None] * np.eye(2)
    for _ in range(ITERATIONS):
        seen, _ = _normalized(_sample(image, place, warp))
        step = np.einsum("nij,nj->ni", inverse, np.einsum("nik,nk->ni", jacobian, seen - template))
        shape = np.eye(2) + np.clip(step[:, 2:], -0.2, 0.2).reshape(-1, 2, 2)
        warp = warp @ np.linalg.inv(shape)
        move = np.einsum("nij,nj->ni", warp, step[:, :2])
        length = np.linalg.norm(move, axis=1)
        place = place - move * np.minimum(1.0, MAX_STEP / np.maximum(length, 1e-9))[:, None]
        if np.mean(length < 0.01) > 0.95:
            break
    seen, _ = _normalized(_sample(image, place, warp))
    return place, np.einsum("nk,nk->n", seen, template)


def _normalized(patches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted patches (N, n) of mean 0 and length 1, and their lengths before (N,)."""
    weights = _WEIGHTS**2
    patches = (patches - (patches @ weights / weights.sum())[:, None]) * _WEIGHTS
    length = np.linalg.norm(patches, axis=1) + 1e-3
    return patches / length[:, None], length


def _sample(image: np.ndarray, pixel: np.ndarray, warp: np.ndarray) -> np.ndarray:
    """Values (N, n) of the image at the offsets of a patch, warped by (N, 2, 2) and moved to pixels (N, 2)."""
    x, y = (pixel[:, :, None] + warp @ _OFFSETS).transpose(1, 0, 2).astype(np.float32)
    return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
