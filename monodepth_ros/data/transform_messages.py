# SPDX-License-Identifier: Apache-2.0
"""One geometry_msgs/TransformStamped, live or recorded: its frames and its numbers, checked."""

from typing import Any, NamedTuple

import numpy as np

from monodepth_ros.errors import MonodepthError
from monodepth_ros.foreign_text import name_fault, shown
from monodepth_ros.geometry.motion import checked_position, make_transform, quaternion_to_rotation


class TransformMessageError(MonodepthError):
    """A transform without frame names, or with numbers that are none."""


class Placement(NamedTuple):
    """The place of a frame in its parent: T_parent_child (4, 4). Names have no leading slash."""

    parent: str
    child: str
    T_parent_child: np.ndarray


def read_transform(item: Any) -> Placement:
    """The placement that a geometry_msgs/TransformStamped states.

    Raises TransformMessageError for an unusable frame name, equal ones, a quaternion that is none and a translation
    beyond LARGEST_POSITION.
    """
    parent, child = item.header.frame_id.lstrip("/"), item.child_frame_id.lstrip("/")
    what = f"{shown(parent)!r} -> {shown(child)!r}"
    if not parent or not child or parent == child:
        raise TransformMessageError(f"{what}: expected the names of two frames")
    for name in (parent, child):
        fault = name_fault(name)
        if fault:
            raise TransformMessageError(f"{what}: a frame name {fault}")
    t, q = item.transform.translation, item.transform.rotation
    try:
        translation = checked_position("translation", (t.x, t.y, t.z))
        rotation = quaternion_to_rotation((q.x, q.y, q.z, q.w))
    except MonodepthError as error:
        raise TransformMessageError(f"{what}: {error}") from None
    return Placement(parent, child, make_transform(rotation, translation))
