# SPDX-License-Identifier: Apache-2.0
"""The mean of a network's answers to an image and to its mirror image, each where it sees better."""

import numpy as np

# From the border, as shares of the width: up to FROM one answer counts alone, beyond TO the mean of both.
FROM, TO = 0.05, 0.10


def blend_mirrored(disparity: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """Disparity (H, W) of an image with that of its mirror image, mirrored back already (the post-processing
    of Godard et al. 2017).

    At the left border the mirror image's counts, at the right one the image's own, between them the mean:
    what a stereo pair does not see is at the left border of the left image.
    """
    x = np.linspace(0.0, 1.0, disparity.shape[1], dtype=disparity.dtype)
    left = 1.0 - np.clip((x - FROM) / (TO - FROM), 0.0, 1.0)
    right = left[::-1]
    return right * disparity + left * mirrored + (1.0 - left - right) * 0.5 * (disparity + mirrored)
