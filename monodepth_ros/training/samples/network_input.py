# SPDX-License-Identifier: Apache-2.0
"""The networks' input: one size for all recordings, and the view of each camera at that size."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from monodepth_ros.data.frame_index import FrameIndex
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.depth_network import STRIDE
from monodepth_ros.pipeline.network_view import NetworkView, crop_to_aspect, view_through
from monodepth_ros.pipeline.view_choice import choose_view
from monodepth_ros.training.config import NetworksConfig
from monodepth_ros.training.samples.clip import TrainingError

Size = tuple[int, int]  # width, height
Intrinsics = tuple[float, float, float, float]

# A wrong aspect costs a part of the image, a wrong number of pixels only time or detail.
WEIGHT_OF_PIXELS = 0.5


class NetworkInput(Protocol):
    """The input that a training chooses.

    size: (width, height) of the images that the networks get. checkpoint_size, training_camera: what the checkpoint's
    header is to state. follows_camera: whether the size follows the cameras' aspect, rather than the settings. note:
    what was chosen for, '' unless there are cameras of several aspects.
    """

    size: Size
    checkpoint_size: Size
    training_camera: Intrinsics
    follows_camera: bool
    note: str

    def look_through(self, camera: CameraModel) -> NetworkView:
        """The view through a camera, at `size`."""


def input_size(aspect: float, networks: NetworksConfig) -> Size:
    """Multiples of 32 close to an aspect (width / height) and to networks.pixels.

    A width or height that the settings give is kept, and the other one follows the aspect alone.
    """
    width, height = networks.width, networks.height
    widths = [width] if width else _candidates(height * aspect if height else math.sqrt(networks.pixels * aspect))
    heights = [height] if height else _candidates(width / aspect if width else math.sqrt(networks.pixels / aspect))
    is_free = not (width or height)

    def cost(size: Size) -> tuple[float, int]:
        stretch = abs(math.log(size[0] / size[1] / aspect))
        pixels = abs(math.log(size[0] * size[1] / networks.pixels)) if is_free else 0.0
        return round(stretch + WEIGHT_OF_PIXELS * pixels, 9), -size[0] * size[1]

    return min(((w, h) for w in widths for h in heights), key=cost)


def _candidates(side: float) -> list[int]:
    """The multiples of 32 around a length."""
    nearest = max(1, round(side / STRIDE))
    return [STRIDE * count for count in range(max(1, nearest - 2), nearest + 3)]


class InputForCamera:
    """The input of networks that learn for the recordings' camera: its aspect, or the size of the settings.

    With cameras of several aspects, the one of most frames. See `NetworkInput`; indices: of the recordings, by their
    names.
    """

    def __init__(self, indices: Sequence[tuple[str, FrameIndex]], networks: NetworksConfig):
        choice = _MostFrames(indices, lambda camera: input_size(camera.width / camera.height, networks))
        self.size = self.checkpoint_size = choice.size
        # The camera's image, or its largest part with the input's aspect.
        self.training_camera = crop_to_aspect(choice.camera.assumed().rectified(), *choice.size).normalized
        self.follows_camera = not (networks.width or networks.height)
        self.note = choice.note
        self._filter = networks.filter

    def look_through(self, camera: CameraModel) -> NetworkView:
        """The view through a camera, at `size`."""
        return view_through(camera, self.training_camera, *self.size, self._filter)


class InputOfCheckpoint:
    """The input of networks that stay those of a checkpoint: what the node shows them, so that its header stays valid.

    With cameras of several views, the size of the view of most frames; of other cameras the middle is seen. See
    `NetworkInput`; indices: of the recordings, by their names. Raises TrainingError if the settings name another size
    than the checkpoint's.
    """

    def __init__(self, indices: Sequence[tuple[str, FrameIndex]], networks: NetworksConfig, header: CheckpointHeader):
        self.checkpoint_size = header.width, header.height
        if (networks.width, networks.height) != self.checkpoint_size:
            raise TrainingError(
                "adapting keeps the size of the checkpoint's input and shows the networks the whole image: leave out"
                " networks.width and networks.height (monodepth train --from CHECKPOINT can change them)"
            )
        choice = _MostFrames(indices, lambda camera: choose_view(camera, header).size)
        self.size, self.note = choice.size, choice.note
        self.training_camera = header.training_camera
        self.follows_camera = True
        self._header = header

    def look_through(self, camera: CameraModel) -> NetworkView:
        """The view through a camera, at `size`."""
        header = self._header
        view = choose_view(camera, header)
        if view.size == self.size:
            return view
        return view_through(camera, _camera_at_size(header, self.size), *self.size, header.filter)


class _MostFrames:
    """The size that suits the cameras of most frames; camera: the first one that it suits."""

    def __init__(self, indices: Sequence[tuple[str, FrameIndex]], size_for: Callable[[CameraModel], Size]):
        frames: Counter[Size] = Counter()
        cameras: dict[Size, tuple[str, CameraModel]] = {}
        for name, index in indices:
            for number, camera in enumerate(index.cameras):
                size = size_for(camera)
                frames[size] += int((index.camera_ids == number).sum())
                cameras.setdefault(size, (name, camera))
        self.size, count = frames.most_common(1)[0]
        name, self.camera = cameras[self.size]
        self.note = ""
        if len(frames) > 1:
            self.note = (
                f"cameras of several aspects: the networks' input of {self.size[0]}x{self.size[1]} follows the"
                f" {self.camera.width}x{self.camera.height} images of {name} ({count} of {frames.total()} frames)"
            )


def _camera_at_size(header: CheckpointHeader, size: Size) -> Intrinsics:
    """Normalised intrinsics (fx, fy, cx, cy) of a checkpoint's training camera for an input of another size.

    The focal length in pixels and the centre stay, so that the network keeps its scale.
    """
    camera = CameraModel.from_normalized(header.width, header.height, header.training_camera)
    left, top = (header.width - size[0]) / 2, (header.height - size[1]) / 2
    return camera.cropped(left, top, *size).normalized
