# SPDX-License-Identifier: Apache-2.0
"""One picture of a frame: its image and its depth in the same view, with the depth's scale."""

import cv2
import numpy as np

from monodepth_ros.data.images.image_codec import to_rgb
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.resample import Resampler
from monodepth_ros.offline.frames import RunFrame
from monodepth_ros.pictures.color_picture import SteadyLimits, color_picture
from monodepth_ros.pictures.depth_scale import depth_scale
from monodepth_ros.pictures.picture_sheet import with_caption

# Both panels together, above which they are made smaller.
MOST_PIXELS = 2_000_000
# Panels wider than this are stacked, others stand side by side.
STACKED_FROM = 1.9


class FrameView:
    """Image and depth of frames in the depth's view, at the size of the image.

    Both panels show the same directions, so a pixel's depth is at the same place in the other panel.
    """

    def __init__(self, most_pixels: int = MOST_PIXELS) -> None:
        self._most_pixels = most_pixels
        self._resampler: Resampler | None = None
        self._limits = SteadyLimits()
        self.size = 0, 0

    def picture(self, frame: RunFrame, depth: np.ndarray) -> np.ndarray:
        """Bgr picture of a frame and of its depth (H, W), float32, with a scale in the unit of the frame's lengths."""
        result, source = frame.result, frame.source
        if self._resampler is None or result.has_new_view:
            view = result.view
            camera = source.camera if view.is_calibrated else view.image_camera
            self.size = panel_size(view.image_camera, result.camera, self._most_pixels)
            self._resampler = Resampler(camera, result.camera.resized(*self.size))
        pixels = source.pixels
        image = cv2.cvtColor(to_rgb(self._resampler(pixels.array), pixels.layout), cv2.COLOR_RGB2BGR)
        limits = self._limits.follow(depth)
        unit = result.unit
        colors = cv2.resize(color_picture(depth, limits), self.size, interpolation=cv2.INTER_LINEAR)
        panels = with_caption(image, "image"), with_caption(colors, f"depth [{unit}]")
        width, height = self.size
        both = np.vstack(panels) if width > STACKED_FROM * height else np.hstack(panels)
        picture = np.vstack((both, depth_scale(limits, unit, both.shape[1])))
        # Codecs that share colours between pixels need even sizes.
        return picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]


def panel_size(image_camera: CameraModel, depth_camera: CameraModel, most_pixels: int = MOST_PIXELS) -> tuple[int, int]:
    """Width and height of a panel with the depth's view: as many pixels as the image has there, within most_pixels / 2.

    image_camera: of the rectified image. depth_camera: of the depth image.
    """
    width = depth_camera.width * image_camera.fx / depth_camera.fx
    height = depth_camera.height * image_camera.fy / depth_camera.fy
    shrink = min(1.0, float(np.sqrt(most_pixels / 2 / (width * height))))
    return max(1, round(width * shrink)), max(1, round(height * shrink))
