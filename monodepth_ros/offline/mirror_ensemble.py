# SPDX-License-Identifier: Apache-2.0
"""The mean of a network's predictions for an image and for its mirror image, weighted by column."""

import numpy as np

# Distances from the border as shares of the width: up to FROM one prediction counts alone, beyond TO the mean.
FROM, TO = 0.05, 0.10


def blend_mirrored(disparity: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """The post-processing of Godard et al. 2017: disparity (H, W) of an image, blended with that of its mirror image.

    mirrored: (H, W), mirrored back already. At the left border it counts alone, at the right border the image's own
    disparity, and between them the mean: the part that a stereo pair does not see is at the left border of its left
    image.
    """
    x = np.linspace(0.0, 1.0, disparity.shape[1], dtype=disparity.dtype)
    left = 1.0 - np.clip((x - FROM) / (TO - FROM), 0.0, 1.0)
    right = left[::-1]
    return right * disparity + left * mirrored + (1.0 - left - right) * 0.5 * (disparity + mirrored)
