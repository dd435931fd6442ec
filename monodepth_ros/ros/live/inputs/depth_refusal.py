# SPDX-License-Identifier: Apache-2.0
"""The refusal of depth images on the topic of a camera, by the rules that hold for recordings."""

from collections.abc import Callable

from sensor_msgs.msg import CompressedImage, Image

from monodepth_ros.data.cameras.first_images import COMPRESSED_IMAGE, IMAGE, RAW, FirstImage, look_at
from monodepth_ros.data.cameras.image_roles import CAMERA, UNSURE, kind_of
from monodepth_ros.data.images.image_codec import ImageError
from monodepth_ros.foreign_text import shown

MOST_ENCODINGS = 100  # that are remembered


class DepthRefusal:
    """Tells depth from pictures by the first image of each encoding on a topic.

    Only an encoding of one channel and 16 bits, or of floating-point numbers, can be depth. is_stated: a user has
    stated the encoding, so nothing is refused. remap: name of the image topic for remappings. cameras: the other
    cameras that are published, asked for when an image is refused.
    """

    def __init__(self, is_stated: bool, remap: str, cameras: Callable[[], list[str]]):
        self._is_stated = is_stated
        self._remap = remap
        self._cameras = cameras
        self._known: dict[tuple[str, str], bool] = {}

    def check(self, topic: str, message: Image | CompressedImage) -> None:
        """Raise ImageError, which says what to do, for an image that is depth."""
        if self._is_stated:
            return
        encoding = shown(message.encoding if isinstance(message, Image) else message.format)
        is_depth = self._known.get((topic, encoding))
        if is_depth is None:
            first = look_at(topic, IMAGE if isinstance(message, Image) else COMPRESSED_IMAGE, message)
            is_depth = first.bits >= 16 and first.channels == 1 and kind_of(first) not in (CAMERA, UNSURE)
            if not _is_empty(first):
                if len(self._known) >= MOST_ENCODINGS:
                    self._known.clear()
                self._known[topic, encoding] = is_depth
            elif first.bits != 32:
                return
        if is_depth:
            raise ImageError(f"{topic} holds depth ({encoding}), not a camera's pictures: {self._remedy(encoding)}")

    def _remedy(self, encoding: str) -> str:
        others = " or ".join(f"{self._remap}:={name}" for name in self._cameras()[:3])
        remedy = f"remap with {others or self._remap + ':=/your/topic'}"
        if "32F" in encoding or "64F" in encoding:
            return remedy
        return f"{remedy}, or, if they are infrared pictures, set image.encoding to mono16"


def _is_empty(first: FirstImage) -> bool:
    """Whether an image is damaged, or black as the first ones of a depth camera: the next one decides."""
    if first.values is None and not first.is_compressed_depth:
        return first.size is None or (first.kind == RAW and (first.channels, first.bits) == (1, 16))
    return first.values is not None and not first.values.any()
