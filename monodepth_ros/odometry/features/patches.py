# SPDX-License-Identifier: Apache-2.0
"""Subpixel location of patches of an earlier image in a new one.

Tracking from frame to frame drifts: a point's surroundings grow and slant as the camera approaches. The patch therefore
always comes from the image in which the point was found, warped to its expected look by the point's depth and slant
(inverse compositional alignment, Baker and Matthews 2004, for a translation, with gain and offset removed).
"""

import cv2
import numpy as np

RADIUS = 4  # of a patch [pixels to each side of the centre]
MAX_ITERATIONS = 6
CONVERGED = 0.03  # [pixels]
MAX_STEP = 1.0  # [pixels per iteration]
# Smallest determinant over squared trace of the structure matrix of a corner; below it there is an edge, along which a
# patch slides.
MIN_CORNERNESS = 1e-3

SIDE = 2 * RADIUS + 3  # side of a warped patch [pixels]: one more on each side for the gradient
# Offsets x, y (2, k) of the pixels of a patch, and of a warped patch.
_INNER = np.stack(np.meshgrid(*[np.arange(-RADIUS, RADIUS + 1, dtype=np.float32)] * 2)).reshape(2, -1)
_OUTER = np.stack(np.meshgrid(*[np.arange(-RADIUS - 1, RADIUS + 2, dtype=np.float32)] * 2)).reshape(2, -1)


def warped_patches(image: np.ndarray, centres: np.ndarray, warps: np.ndarray) -> np.ndarray:
    """Patches (N, SIDE, SIDE) float32 of an image as another camera sees them.

    centres: (N, 2) pixels of this image. warps: (N, 2, 2) pixels of this image per pixel of the other.
    """
    x, y = centres.T[..., None] + warps.transpose(1, 0, 2) @ _OUTER
    return _sample(image, x.astype(np.float32), y.astype(np.float32)).reshape(-1, SIDE, SIDE)


def align_patches(patches: np.ndarray, image: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (N, 2) float32 at which an image looks most like the patches, and the likeness (N,) there.

    start: (N, 2), accurate to a pixel or two. The likeness is the correlation coefficient, 0 for a patch without a
    corner.
    """
    count = len(patches)
    dx = 0.5 * (patches[:, 1:-1, 2:] - patches[:, 1:-1, :-2]).reshape(count, -1)
    dy = 0.5 * (patches[:, 2:, 1:-1] - patches[:, :-2, 1:-1]).reshape(count, -1)
    wanted = patches[:, 1:-1, 1:-1].reshape(count, -1)
    dx, dy, wanted = (values - values.mean(axis=1, keepdims=True) for values in (dx, dy, wanted))
    xx, xy, yy = _dot(dx, dx), _dot(dx, dy), _dot(dy, dy)
    determinant = xx * yy - xy * xy
    is_corner = determinant > MIN_CORNERNESS * (xx + yy) ** 2
    determinant = np.where(is_corner, determinant, 1.0)
    contrast = np.sqrt(_dot(wanted, wanted)) + 1e-3
    pixels = start.astype(np.float32)
    for _ in range(MAX_ITERATIONS):
        seen = _sample(image, pixels[:, :1] + _INNER[0], pixels[:, 1:] + _INNER[1])
        seen -= seen.mean(axis=1, keepdims=True)
        seen_contrast = np.sqrt(_dot(seen, seen)) + 1e-3
        difference = seen * (contrast / seen_contrast)[:, None] - wanted
        x, y = _dot(dx, difference), _dot(dy, difference)
        step = np.stack([yy * x - xy * y, xx * y - xy * x], axis=-1) / determinant[:, None]
        length = np.sqrt(_dot(step, step))
        pixels = pixels - step * np.minimum(1.0, MAX_STEP / np.maximum(length, 1e-9))[:, None]
        if ((length < CONVERGED) | ~is_corner).mean() > 0.9:
            break
    likeness = _dot(seen, wanted) / (contrast * seen_contrast)
    return pixels, np.where(is_corner, likeness, 0.0)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("nk,nk->n", a, b)


def _sample(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
