# SPDX-License-Identifier: Apache-2.0
"""Image topics of a recording by camera: a driver and its image pipeline publish one view under several names."""

from collections.abc import Sequence

from monodepth_ros.data.cameras.first_images import COMPRESSED, RAW, VIDEO, FirstImage
from monodepth_ros.data.cameras.image_names import camera_key, processing_rank

FEW = 0.5  # of the largest number of images: a topic with fewer is not preferred
_KINDS = (RAW, COMPRESSED, VIDEO)


def by_camera(images: Sequence[FirstImage]) -> list[list[FirstImage]]:
    """The topics of each camera together, in the order of the first topic of each.

    One camera are the transports of one topic, and topics of one frame whose names differ only by words of processing,
    such as image_raw, image_rect_color and image_mono.
    """
    groups: dict[tuple, list[FirstImage]] = {}
    bases: dict[str, tuple] = {}
    for image in images:
        key = (image.frame, camera_key(image.base)) if image.frame else ("", image.base)
        key = bases.setdefault(image.base, key)  # all transports of a topic
        groups.setdefault(key, []).append(image)
    return list(groups.values())


def best_first(group: Sequence[FirstImage], counts: dict[str, int]) -> list[FirstImage]:
    """The topics of a camera in the order of preference.

    The driver's own image comes before those made from it, raw before compressed before video. A topic with less than
    half of the images of another comes last. counts: number of messages by topic.
    """
    most = max(counts[image.topic] for image in group)

    def preference(image: FirstImage) -> tuple:
        few = counts[image.topic] < FEW * most
        return few, processing_rank(image.base), _KINDS.index(image.kind), image.topic

    return sorted(group, key=preference)
