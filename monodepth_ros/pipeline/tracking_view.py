"""The image in which points are followed: the network's view, in grey, at a size that serves odometry best."""

import numpy as np

from monodepth_ros.data.image_codec import Pixels, to_gray
from monodepth_ros.geometry.resample import Resampler
from monodepth_ros.odometry.features.depth_prior import TrackingCamera
from monodepth_ros.pipeline.network_view import NetworkView

# Larger images (960, 1241 pixels of KITTI's) made the motion no better, and smaller ones made it worse.
WIDTH = 640
SAME_SIZE = 1.05  # a network's view up to this much smaller or larger is taken as it is


class TrackingView:
    """Renders the network's view in grey, WIDTH pixels wide or as wide as the camera's own pixels allow."""

    def __init__(self, view: NetworkView, filter: str):
        source, target = view.resampler.source, view.camera
        factor = min(WIDTH / target.width, max(1.0, view.image_camera.fx / target.fx))
        self._resampler: Resampler | None = None
        if not 1.0 / SAME_SIZE <= factor <= SAME_SIZE:
            target = target.resized(round(target.width * factor), round(target.height * factor))
            self._resampler = Resampler(source, target, filter)
        self.camera = TrackingCamera(target.width, target.height, target.fx, target.fy, target.cx, target.cy)

    def render(self, pixels: Pixels, network_rgb: np.ndarray) -> np.ndarray:
        """(H, W) uint8, from the camera's image or, where that has the size, from the network's input."""
        if self._resampler is None:
            return to_gray(network_rgb, "rgb")
        return self._resampler(to_gray(pixels.array, pixels.layout))
