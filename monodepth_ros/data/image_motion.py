# SPDX-License-Identifier: Apache-2.0
"""Motion of the image from frame to frame, measured by optical flow."""

import cv2
import numpy as np

from monodepth_ros.data.images.image_codec import Pixels, to_rgb

FLOW_WIDTH = 160  # pixels, width of the image in which the flow is measured


class ImageMotion:
    """Image motion since the previous frame: about 0 for a static camera, even among moving cars."""

    def __init__(self):
        self._flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._previous: np.ndarray | None = None

    def __call__(self, pixels: Pixels) -> tuple[float, float]:
        """(median length of the flow as a share of the image's width, variance of the Laplacian of the image).

        The flow is NaN for a first image and for one of another size than the image before.
        """
        width, height = pixels.size
        size = FLOW_WIDTH, max(16, round(FLOW_WIDTH * height / width))
        small = to_rgb(cv2.resize(pixels.array, size, interpolation=cv2.INTER_AREA), pixels.layout)
        small = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        moved = float("nan")
        if self._previous is not None and self._previous.shape == small.shape:
            flow = self._flow.calc(self._previous, small, None)
            moved = float(np.median(np.linalg.norm(flow, axis=-1))) / FLOW_WIDTH
        self._previous = small
        return moved, float(cv2.Laplacian(small, cv2.CV_32F).var())
