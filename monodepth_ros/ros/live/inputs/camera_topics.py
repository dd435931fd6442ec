# SPDX-License-Identifier: Apache-2.0
"""The camera images among the published topics."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import NamedTuple

from monodepth_ros.data.cameras.image_names import (
    DEPTH,
    DISPARITY,
    OTHER,
    device_key,
    is_infrared_name,
    is_made_for_another_view,
    name_says,
    words,
)
from monodepth_ros.data.cameras.topics import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE
from monodepth_ros.ros.live.outputs import COMPRESSED_DEPTH, TOPICS

STATUS = "monodepth_ros/msg/DepthStatus"
# The driver's own image, which others in the same namespace (image_color, image_rect) are made from.
DRIVER_IMAGE = "image_raw"


class PublishedCamera(NamedTuple):
    """A camera's published images. image: topic without the transport; has_raw, has_compressed: what is published."""

    image: str
    has_raw: bool
    has_compressed: bool


def published_cameras(topics: Mapping[str, Collection[str]], namespace: str = "/") -> list[PublishedCamera]:
    """The cameras among published topics, sorted by name.

    topics: message types by topic, only of topics with a publisher. namespace: only topics below it count. Left out are
    depth and other pictures that are not a camera's, hidden topics, and the outputs of depth nodes. For want of another
    camera, the colour images of a depth camera (/depth_camera/image_raw) count. The images of one namespace are one
    camera's if one of them is called image_raw. If a camera_info is published beside some of the images, images without
    one are left out. As in recordings, infrared gives way to another camera of its device, and what is hardly a
    camera's by its name (previews, then drawings and colour in the view of depth) to any other.
    """
    outputs = outputs_of_depth_nodes(topics)
    names = [name for name in topics if name not in outputs and name.startswith(namespace.rstrip("/") + "/")]
    clear = [name for name in names if _may_be_camera(name)]
    if not any(kind in topics[name] for name in clear for kind in (IMAGE, COMPRESSED_IMAGE)):
        clear = [name for name in names if _may_be_camera(name, in_colour=True)]
    transports: dict[str, set[str]] = defaultdict(set)
    for name in clear:
        if IMAGE in topics[name]:
            transports[name].add("raw")
        if COMPRESSED_IMAGE in topics[name] and name.endswith("/compressed"):
            transports[name.removesuffix("/compressed")].add("compressed")
    found = [PublishedCamera(name, "raw" in kinds, "compressed" in kinds) for name, kinds in sorted(transports.items())]
    calibrated = [camera for camera in found if CAMERA_INFO in topics.get(info_beside(camera.image), ())]
    cameras = _without_derived(calibrated or found)
    likely = [camera for camera in cameras if not _is_unlikely(camera.image)]
    cameras = likely or [camera for camera in cameras if "preview" in words(camera.image)] or cameras
    others = {device_key(camera.image) for camera in cameras if not is_infrared_name(camera.image)}
    return [one for one in cameras if not (is_infrared_name(one.image) and device_key(one.image) in others)]


def info_beside(image: str) -> str:
    """The camera_info that belongs to an image topic by image_transport's rule."""
    return image.rpartition("/")[0] + "/camera_info"


def outputs_of_depth_nodes(topics: Mapping[str, Collection[str]]) -> set[str]:
    """The topics that depth nodes publish, by their status topics. topics: message types by topic."""
    status = TOPICS["status"][0]
    prefixes = [name.removesuffix(status) for name, types in topics.items() if STATUS in types]
    return {prefix + topic for prefix in prefixes for topic, _ in (TOPICS | COMPRESSED_DEPTH).values()}


def _may_be_camera(name: str, in_colour: bool = False) -> bool:
    is_hidden = any(segment.startswith("_") for segment in name.split("/"))
    return not is_hidden and name_says(name, in_colour) not in (DEPTH, DISPARITY)


def _is_unlikely(name: str) -> bool:
    return is_made_for_another_view(name) or name_says(name) == OTHER


def _without_derived(cameras: list[PublishedCamera]) -> list[PublishedCamera]:
    by_namespace: dict[str, list[PublishedCamera]] = defaultdict(list)
    for camera in cameras:
        by_namespace[camera.image.rpartition("/")[0]].append(camera)
    found = []
    for together in by_namespace.values():
        of_driver = [camera for camera in together if camera.image.endswith(f"/{DRIVER_IMAGE}")]
        found += of_driver or together
    return found
