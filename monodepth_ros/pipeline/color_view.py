"""A depth image for people: near is bright, far is dark, invalid is black."""

import cv2
import numpy as np


def color_view(depth: np.ndarray) -> np.ndarray:
    """Colour picture, bgr uint8 (H, W, 3), of a depth image (H, W) [m].

    Inverse depth on the magma map, from the frame's 1st to its 95th percentile, as the field draws it. Too far (+Inf)
    has inverse depth 0; NaN and -Inf are black.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.reciprocal(depth)
    inverse[depth == -np.inf] = np.nan
    sample = inverse[::4, ::4]
    sample = sample[np.isfinite(sample)]
    low, high = np.percentile(sample, (1, 95)) if sample.size else (0.0, 1.0)
    # Blank walls and single pixels have no spread.
    scale = 255.0 / max(high - low, 1e-6)
    valid = np.isfinite(inverse)
    grey = np.clip((np.where(valid, inverse, low) - low) * scale, 0, 255).astype(np.uint8)
    picture = cv2.applyColorMap(grey, cv2.COLORMAP_MAGMA)
    if not valid.all():
        picture[~valid] = 0
    return picture
