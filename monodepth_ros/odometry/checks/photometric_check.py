# SPDX-License-Identifier: Apache-2.0
"""Photometric check: a motion must explain the difference between two images."""

import cv2
import numpy as np

BLOCK = 16  # side of the squares that are compared [pixels]
MIN_CONTRAST = 4.0  # standard deviation within a square [grey levels]; flatter squares do not count
MIN_BLOCKS = 12
MIN_LIKENESS = 0.6  # median correlation of the squares


def motion_explains_images(
    before: np.ndarray,
    now: np.ndarray,
    inverse_depth: np.ndarray,
    rays: np.ndarray,
    K: np.ndarray,
    T_before_now: np.ndarray,
) -> bool:
    """Whether the image before, warped by the motion, looks like the image now, and no less so than without warping.

    before, now: (H, W) uint8. inverse_depth: (H, W) of the image now, in 1 / unit of T_before_now (4, 4). rays: (H, W,
    3), (x / z, y / z, 1) of the pixels. K: (3, 3).
    """
    place = rays @ T_before_now[:3, :3].T + inverse_depth[..., None] * T_before_now[:3, 3]
    in_front = place[..., 2] > 1e-3
    pixels = place @ K.T
    pixels = (pixels[..., :2] / np.where(in_front, pixels[..., 2], np.inf)[..., None]).astype(np.float32)
    pixels[~in_front] = -1e3
    warped = cv2.remap(
        before,
        np.ascontiguousarray(pixels[..., 0]),
        np.ascontiguousarray(pixels[..., 1]),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
    )
    height, width = now.shape
    is_seen = ((pixels >= 0) & (pixels <= (width - 1, height - 1))).all(axis=-1)
    wanted, is_usable = _normalized(now)
    is_usable &= _blocks(is_seen).all(axis=-1)
    if is_usable.sum() < MIN_BLOCKS:
        return False
    likeness, without_motion = (
        float(np.median(np.einsum("nk,nk->n", wanted[is_usable], _normalized(image)[0][is_usable])))
        for image in (warped, before)
    )
    return likeness > MIN_LIKENESS and likeness >= without_motion


def _blocks(image: np.ndarray) -> np.ndarray:
    """Whole squares (N, BLOCK * BLOCK) of an image (H, W)."""
    height, width = (side // BLOCK * BLOCK for side in image.shape)
    squares = image[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    return squares.transpose(0, 2, 1, 3).reshape(-1, BLOCK * BLOCK)


def _normalized(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squares with mean 0 and length 1, and which of them have contrast (N,)."""
    squares = _blocks(image).astype(np.float32)
    squares -= squares.mean(axis=1, keepdims=True)
    length = np.linalg.norm(squares, axis=1)
    return squares / np.maximum(length, 1e-6)[:, None], length > MIN_CONTRAST * BLOCK
