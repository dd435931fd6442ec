# SPDX-License-Identifier: Apache-2.0
"""Which image topics of a recording are cameras, which are depth, and which are neither.

The encoding decides, then the names, then the values: 16-bit pictures of one channel may be depth or infrared.
"""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from monodepth_ros.data.bags import depth_status
from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.cameras import image_names
from monodepth_ros.data.cameras.first_images import IMAGE_TYPES, FirstImage, first_image
from monodepth_ros.data.cameras.image_names import name_says

CAMERA, DEPTH, OTHER, UNSURE = "camera", "depth", "other", "unsure"
# Depth in millimetres leaves values out between 0, which means unknown, and the nearest distance of the sensor.
NEAREST, FARTHEST = 100, 30_000
_DISTANCE = {"range", "ranges", "distance", "distances"}  # says nothing of pictures of 8 bits (long_range_camera)
UNKNOWN = "16-bit images that are neither named depth nor look like it"
HOLES = 0.001  # smallest share of unknown pixels that counts


@dataclass(frozen=True)
class Role:
    """The use of an image topic: CAMERA, DEPTH or OTHER. reason: what it was taken for, in words, '' if clear."""

    kind: str
    reason: str = ""


_known: WeakKeyDictionary[Recording, dict[str, Role]] = WeakKeyDictionary()


def image_roles(recording: Recording) -> dict[str, Role]:
    """The role of every image topic that has messages, by name.

    Topics whose role is not certain are cameras only if no other topic is: pictures that by their name are masks,
    drawings, smaller copies or depth made visible, and 16-bit pictures that do not look like depth.
    """
    if recording not in _known:
        _known[recording] = _roles(recording)
    return _known[recording]


def is_depth(recording: Recording, topic: str) -> bool:
    """Whether the images of a topic are depth."""
    role = image_roles(recording).get(topic)
    return role is not None and role.kind == DEPTH


def _roles(recording: Recording) -> dict[str, Role]:
    images = {
        topic.name: first_image(recording, topic.name)
        for topic in recording.topics.values()
        if topic.type in IMAGE_TYPES and topic.count
    }
    found = {name: kind_of(first) for name, first in images.items()}
    made = _made_by_depth_nodes(recording) | _pairs_in_one_picture(images)
    kinds = {name: OTHER if name in made and kind == CAMERA else kind for name, kind in found.items()}
    lidar = {name for name, kind in kinds.items() if kind == CAMERA and _is_of_lidar(images[name])}
    if any(kind == CAMERA for name, kind in kinds.items() if name not in lidar):
        kinds |= dict.fromkeys(lidar, OTHER)
    has_camera = CAMERA in kinds.values()
    roles = {}
    for name, kind in kinds.items():
        first = images[name]
        if kind == UNSURE:
            shared = any(_is_beside(first, images[other]) for other, what in kinds.items() if what == CAMERA)
            is_grey = first.encoding.lower() == "mono16"
            text = "16-bit images that do not look like depth, taken as those of a camera"
            is_camera = not has_camera or (is_grey and not shared)
            roles[name] = Role(CAMERA, text) if is_camera else Role(OTHER, UNKNOWN)
        elif kind == OTHER and not has_camera and UNSURE not in kinds.values() and _may_be_picture(first):
            roles[name] = Role(CAMERA, "taken as the camera for want of another one")
        else:
            roles[name] = Role(kind)
    return _best_of_uncertain(roles, has_camera)


def may_be_depth(recording: Recording, topic: str) -> bool:
    """Whether the images of a topic can be depth if a user says so: one channel of 16 bits or of floats."""
    if topic not in image_roles(recording):
        return False
    first = first_image(recording, topic)
    return first.channels == 1 and first.bits >= 16 and name_says(topic) != image_names.DISPARITY


def kind_of(first: FirstImage) -> str:
    """CAMERA, DEPTH, OTHER or, for pictures of 16 bits that do not look like depth, UNSURE, by one topic alone."""
    says = name_says(first.base)
    if first.is_compressed_depth or (first.bits == 32 and first.channels == 1):
        return OTHER if says in (image_names.DISPARITY, image_names.OTHER, image_names.PICTURE) else DEPTH
    if first.bits >= 32:
        return OTHER
    if (first.channels, first.bits) != (1, 16):
        if image_names.is_made_for_another_view(first.base):
            return OTHER
        says = name_says(first.base, in_colour=True)
        return OTHER if says in (image_names.DEPTH, image_names.DISPARITY, image_names.OTHER) else CAMERA
    # A word of colour says nothing here: these pictures have none.
    by_name = {image_names.DEPTH: DEPTH, image_names.PICTURE: CAMERA}
    if says in (*by_name, image_names.DISPARITY, image_names.OTHER):
        return by_name.get(says, OTHER)
    is_named = name_says(first.frame) == image_names.DEPTH or _DISTANCE & set(image_names.words(first.base))
    # Values that cannot be looked at (video, JPEG) are what the encoding is made for.
    is_unseen = first.values is None and first.encoding.upper() == "16UC1"
    return DEPTH if is_named or is_unseen or looks_like_depth(first.values) else UNSURE


def looks_like_depth(values: np.ndarray | None) -> bool:
    """Whether 16-bit values (H, W) are millimetres: some unknown (0), the others in the range of a depth camera."""
    if values is None:
        return False
    known = values[values > 0]
    if not known.size or 1 - known.size / values.size < HOLES:
        return False
    return bool(np.percentile(known, 0.5) >= NEAREST and np.percentile(known, 99) <= FARTHEST)


def _is_of_lidar(first: FirstImage) -> bool:
    return (first.channels, first.bits) == (1, 16) and image_names.is_lidar_name(first.base)


def _is_beside(first: FirstImage, camera: FirstImage) -> bool:
    """Whether two topics show the view of one camera: the same namespace, or the same frame."""
    same_space = first.base.rpartition("/")[0] == camera.base.rpartition("/")[0]
    return same_space or (first.frame == camera.frame != "")


def _may_be_picture(first: FirstImage) -> bool:
    """Whether a picture that is none of a camera's by its name may still be one: not in one channel, if named depth."""
    is_named_depth = name_says(first.base, in_colour=True) in (image_names.DEPTH, image_names.DISPARITY)
    return first.bits <= 8 and not (is_named_depth and first.channels == 1)


def _best_of_uncertain(roles: dict[str, Role], has_camera: bool) -> dict[str, Role]:
    """Without a certain camera: of the topics taken for want of one, those that are least likely something else."""
    uncertain = [name for name, role in roles.items() if role.kind == CAMERA and role.reason]
    if has_camera or len(uncertain) < 2:
        return roles
    order = (image_names.COLOR, image_names.PICTURE, "", image_names.OTHER, image_names.DEPTH, image_names.DISPARITY)
    best = min(order.index(name_says(name)) for name in uncertain)
    kept = {name for name in uncertain if order.index(name_says(name)) == best}
    return {name: role if name not in uncertain or name in kept else Role(OTHER) for name, role in roles.items()}


def _pairs_in_one_picture(images: dict[str, FirstImage]) -> set[str]:
    """Topics with both pictures of a stereo camera side by side, of which one is published as well."""
    sizes = {(first.frame, first.size) for first in images.values() if first.size}
    return {
        name
        for name, first in images.items()
        if first.size
        and "stereo" in image_names.words(name)
        and (first.frame, (first.size[0] // 2, first.size[1])) in sizes
    }


def _made_by_depth_nodes(recording: Recording) -> set[str]:
    """Names of the pictures that depth nodes of this package have published, or `monodepth run --out` written."""
    outputs = ("depth/image", "depth/color", "depth/ground", "rgb/image_rect", "odom/correspondences")
    status = "depth/status"
    topics = recording.topics.values()
    prefixes = [t.name.removesuffix(status) for t in topics if t.type == depth_status.TYPE and t.name.endswith(status)]
    return {prefix + output for prefix in prefixes for output in outputs}
