# SPDX-License-Identifier: Apache-2.0
"""What a stereo depth camera would measure of exact depth: a limited range, noise, and holes."""

import cv2
import numpy as np

NEAREST, FARTHEST = 0.3, 20.0  # metres
DISPARITY_NOISE = 0.0015  # standard deviation of inverse depth [1 / m]
EDGE = 0.1  # relative step of depth beside which nothing is matched
EDGE_PIXELS = 5
HOLES = 0.06  # share of the image in holes where matching fails
HOLE_PIXELS = 24  # usual size of such a hole


def measured_depth(depth: np.ndarray, seed: int) -> np.ndarray:
    """Millimetres (H, W) uint16, 0 where unknown, of exact depth (H, W) [m].

    Depth beyond the range, beside edges and in random holes is unknown. The same seed gives the same measurement.
    """
    draw = np.random.default_rng(seed)
    known = np.isfinite(depth)
    filled = np.where(known, depth, 2 * FARTHEST).astype(np.float32)
    with np.errstate(divide="ignore"):
        noisy = 1.0 / np.maximum(1.0 / filled + draw.normal(0.0, DISPARITY_NOISE, depth.shape), 1e-4)
    kernel = np.ones((EDGE_PIXELS, EDGE_PIXELS), np.uint8)
    at_edge = cv2.dilate(filled, kernel) > (1 + EDGE) * cv2.erode(filled, kernel)
    height, width = depth.shape
    coarse = draw.random((height // HOLE_PIXELS + 2, width // HOLE_PIXELS + 2)).astype(np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    in_hole = smooth < np.quantile(smooth, HOLES)
    seen = known & (noisy >= NEAREST) & (noisy <= FARTHEST) & ~at_edge & ~in_hole
    return np.where(seen, np.rint(noisy * 1000), 0).astype(np.uint16)
