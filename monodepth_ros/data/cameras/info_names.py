# SPDX-License-Identifier: Apache-2.0
"""How close a camera_info topic is to an image topic by their names."""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from monodepth_ros.data.cameras.image_names import PROCESSING, tokens

_INFO = {"camera", "info", "infos", "camerainfo", "calibration", "calib", "intrinsics", "parameters", "params"}
# Segments that say only what is published below them.
_STAGES = {"image", "images", "img", "raw", "rect", "rectified", "unrectified", "undistorted", "data"} | _INFO - {
    "camera"
}


class Relation(IntEnum):
    """Relation of the names, the closest first.

    SAME_SPACE: one namespace, or a camera_info below the image's name. OTHER_WORDS: the same, with words of processing
    that the image does not have (camera_info_raw for image_rect). SAME_BRANCH: namespaces that differ by their stage
    (image/data and info/camera_info, rect/image and raw/camera_info). SAME_WORDS: cam0_info for cam0/image_raw. ABOVE:
    a namespace above the image's.
    """

    SAME_SPACE = 0
    OTHER_WORDS = 1
    SAME_BRANCH = 2
    SAME_WORDS = 3
    ABOVE = 4


class Closeness(NamedTuple):
    """Orders relations, the closest first. distance: less for more common words."""

    relation: Relation
    distance: int

    @property
    def is_beside(self) -> bool:
        """Whether image_transport's rule gives the camera_info to the image."""
        return self.relation <= Relation.OTHER_WORDS


def closeness(image: str, info: str, others: Sequence[str] | None = None) -> Closeness | None:
    """The relation of a camera_info topic to an image topic (without transport); None for none.

    others: images of other cameras; None: the relation ABOVE does not count, as it does not with one of them below.
    """
    space, _, leaf = image.strip("/").rpartition("/")
    owner, _, last = info.strip("/").rpartition("/")
    extra, seen = set(tokens(last)) - _INFO, set(tokens(image))
    if extra - seen - PROCESSING:  # the name of another camera
        return None
    if owner in (space, image.strip("/")):
        relation = Relation.OTHER_WORDS if extra - seen else Relation.SAME_SPACE
        return Closeness(relation, -len(extra & set(tokens(leaf))))
    if _branch(space) == _branch(owner) != []:
        return Closeness(Relation.SAME_BRANCH, -len(set(tokens(owner)) & set(tokens(space))))
    said, own = (set(tokens(name)) - _INFO - {"image", "images"} for name in (info, image))
    if said and (said == own or said - PROCESSING == own - PROCESSING != set()):
        return Closeness(Relation.SAME_WORDS, -len(said & own))
    if not owner or others is None or not space.startswith(f"{owner}/"):
        return None
    is_free = not any(other.strip("/").startswith(f"{owner}/") for other in others)
    return Closeness(Relation.ABOVE, -len(owner)) if is_free else None


def _branch(space: str) -> list[str]:
    return [segment for segment in space.split("/") if segment and not set(tokens(segment)) <= _STAGES]
