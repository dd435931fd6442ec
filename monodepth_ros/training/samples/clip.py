# SPDX-License-Identifier: Apache-2.0
"""A clip: the frames of one camera of a recording, rendered for the networks, in any order."""

import threading
from collections import OrderedDict
from collections.abc import Callable

import cv2
import numpy as np

from monodepth_ros.data.frame_index import FrameIndex
from monodepth_ros.data.images.image_codec import ImageError, to_rgb
from monodepth_ros.data.images.picture_file import read_picture
from monodepth_ros.data.sources.source import FrameSource
from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.pipeline.network_view import NetworkView
from monodepth_ros.training.samples.reference_points import reference_points


class TrainingError(MonodepthError):
    """Recordings that cannot be learned from, or a training that cannot continue."""


class FrameCache:
    """Cache of rendered frames for several threads; drops the least recently used ones above `megabytes`."""

    def __init__(self, megabytes: int):
        self._capacity = self._room = megabytes * 1_000_000
        self._frames: OrderedDict[tuple, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple) -> np.ndarray | None:
        """The frame of a key, or None if it is not cached."""
        with self._lock:
            frame = self._frames.get(key)
            if frame is not None:
                self._frames.move_to_end(key)
            return frame

    def add(self, key: tuple, frame: np.ndarray) -> None:
        """Cache a frame, which must not be changed afterwards."""
        with self._lock:
            if key in self._frames or frame.nbytes > self._capacity:
                return
            self._frames[key] = frame
            self._room -= frame.nbytes
            while self._room < 0:
                _, oldest = self._frames.popitem(last=False)
                self._room += oldest.nbytes


class Clip:
    """Renders the frames of `source`, listed in `index`, for the networks.

    look_through: the networks' view through a camera, of one size for all cameras (see network_input.py). hood: share
    of the height that shows the vehicle. mask: (H', W') bool of the published image, False for pixels to leave out, or
    None.

    Raises TrainingError if the mask does not fit or nothing of the image is left.
    """

    def __init__(
        self,
        name: str,
        source: FrameSource,
        index: FrameIndex,
        look_through: Callable[[CameraModel], NetworkView],
        cache: FrameCache,
        hood: float = 0.0,
        mask: np.ndarray | None = None,
    ):
        self.name, self.source, self.index = name, source, index
        self._cache = cache
        self.views: list[NetworkView] = []
        self._valid: list[np.ndarray | None] = []
        for camera in index.cameras:
            view = look_through(camera)
            self.views.append(view)
            self._valid.append(_valid_pixels(view, camera, hood, mask))

    def image(self, frame: int) -> np.ndarray:
        """Image (H, W, 3) uint8 RGB of a frame of the index, read-only."""
        key = self.name, frame
        image = self._cache.get(key)
        if image is None:
            index = self.index
            pixels = self.source.read(int(index.stamps_ns[frame]), int(index.received_ns[frame]))
            image = to_rgb(self.view(frame).resampler(pixels.array), pixels.layout)
            image.setflags(write=False)
            self._cache.add(key, image)
        return image

    def reference(self, frame: int, depth_range: tuple[float, float]) -> np.ndarray:
        """Reference depth of a frame as points (3, N), read-only, see `reference_points`. depth_range: [m]."""
        key = self.name, frame, *depth_range
        points = self._cache.get(key)
        if points is None:
            index = self.index
            camera = index.cameras[index.camera_ids[frame]]
            depth = None
            if index.has_depth[frame]:
                stamps = int(index.stamps_ns[frame]), int(index.received_ns[frame])
                depth = self.source.reference_depth(*stamps, camera)
            points = reference_points(depth, camera, self.view(frame).camera, self.valid(frame), depth_range)
            points.setflags(write=False)
            self._cache.add(key, points)
        return points

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the networks' input."""
        return self.views[0].size

    def view(self, frame: int) -> NetworkView:
        """The networks' view of a frame."""
        return self.views[self.index.camera_ids[frame]]

    def valid(self, frame: int) -> np.ndarray | None:
        """Valid pixels (H, W) bool of a frame, or None if all are."""
        return self._valid[self.index.camera_ids[frame]]


def _valid_pixels(view: NetworkView, camera: CameraModel, hood: float, mask: np.ndarray | None) -> np.ndarray | None:
    width, height = view.camera.width, view.camera.height
    valid = np.ones((height, width), bool)
    if view.resampler.valid is not None:
        valid &= view.resampler.valid
    if hood > 0:
        rows = np.zeros((camera.height, camera.width), np.uint8)
        rows[: round(camera.height * (1 - hood))] = 255
        valid &= view.resampler(rows) > 250
    if mask is not None:
        if mask.shape != (camera.height, camera.width):
            raise TrainingError(
                f"the mask is {mask.shape[1]}x{mask.shape[0]}, the camera's images are {camera.width}x{camera.height}:"
                " draw it on one of them"
            )
        valid &= view.resampler(mask.astype(np.uint8) * 255) > 250
    if not valid.any():
        raise TrainingError("nothing of the image is left: data.hood and data.mask_file leave all of it out")
    return None if valid.all() else valid


def read_mask(path: str) -> np.ndarray | None:
    """Mask (H, W) bool from a picture, False where it is black; None for an empty path.

    Raises TrainingError if the file is not a picture.
    """
    if not path:
        return None
    try:
        picture = read_picture(path)
    except ImageError as error:
        raise TrainingError(f"data.mask_file is not a readable picture: {error}") from None
    if picture.dtype not in (np.uint8, np.uint16):
        raise TrainingError(f"data.mask_file {path} holds {picture.dtype} values, expected 8 or 16 bits")
    if picture.ndim == 3:
        picture = cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_BGR2GRAY)
    return picture > (127 if picture.dtype == np.uint8 else 127 * 257)
