# SPDX-License-Identifier: Apache-2.0
"""The size of the networks' input, which follows the aspect of the camera that they learn from."""

import math
from collections import Counter
from collections.abc import Sequence

from monodepth_ros.data.frame_index import FrameIndex
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.depth_network import STRIDE
from monodepth_ros.training.config import NetworksConfig

Size = tuple[int, int]  # width, height
Intrinsics = tuple[float, float, float, float]

# A wrong aspect costs a part of the image, a wrong number of pixels only time or detail.
WEIGHT_OF_PIXELS = 0.5


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


class InputChoice:
    """The size of the networks' input for recordings, and the camera that it follows.

    indices: of the recordings, by their names. size: (width, height). camera: the first one whose aspect gives this
    size, or the first one of all if the settings give the size. note: what was chosen for, '' unless there are cameras
    of several aspects.
    """

    def __init__(self, indices: Sequence[tuple[str, FrameIndex]], networks: NetworksConfig):
        frames: Counter[Size] = Counter()
        cameras: dict[Size, tuple[str, CameraModel]] = {}
        for name, index in indices:
            for number, camera in enumerate(index.cameras):
                size = input_size(camera.width / camera.height, networks)
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


def camera_at_size(header: CheckpointHeader, size: Size) -> Intrinsics:
    """Normalised intrinsics (fx, fy, cx, cy) of a checkpoint's training camera for an input of another size.

    The focal length in pixels and the centre stay, so that a network keeps its scale: the input is extended or cut.
    """
    if size == (header.width, header.height):
        return header.training_camera
    camera = CameraModel.from_normalized(header.width, header.height, header.training_camera)
    left, top = (header.width - size[0]) / 2, (header.height - size[1]) / 2
    return camera.cropped(left, top, *size).normalized
