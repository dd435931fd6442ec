# SPDX-License-Identifier: Apache-2.0
"""One geometry_msgs/TransformStamped, live or recorded: its frames and its numbers, checked."""

from typing import Any, NamedTuple

import numpy as np

from monodepth_ros.errors import MonodepthError
from monodepth_ros.foreign_text import name_fault, shown
from monodepth_ros.geometry.motion import checked_position, make_transform, quaternion_to_rotation
from monodepth_ros.limits import LARGEST_POSITION


class TransformMessageError(MonodepthError):
    """A transform without frame names, or with numbers that are none."""


class Placement(NamedTuple):
    """The place of a frame in its parent: T_parent_child (4, 4). Names have no leading slash."""

    parent: str
    child: str
    T_parent_child: np.ndarray


def link_of(item: Any) -> tuple[str, str]:
    """The parent and the child of a geometry_msgs/TransformStamped, which `matrix_of` can then read.

    Busy robots publish thousands a second, and few are ever looked up: cheap for those that are right. Raises as
    `read_transform`.
    """
    parent, child = item.header.frame_id.lstrip("/"), item.child_frame_id.lstrip("/")
    t, q = item.transform.translation, item.transform.rotation
    is_placed = abs(t.x) <= LARGEST_POSITION and abs(t.y) <= LARGEST_POSITION and abs(t.z) <= LARGEST_POSITION
    is_turned = 0.5 < q.x * q.x + q.y * q.y + q.z * q.z + q.w * q.w < 2.0
    is_named = parent and child and parent != child and not name_fault(parent) and not name_fault(child)
    if not (is_placed and is_turned and is_named):
        read_transform(item)
    return parent, child


def matrix_of(transform: Any) -> np.ndarray:
    """T_parent_child (4, 4) of a geometry_msgs/Transform; MotionError for numbers that are none."""
    t, q = transform.translation, transform.rotation
    translation = checked_position("translation", (t.x, t.y, t.z))
    return make_transform(quaternion_to_rotation((q.x, q.y, q.z, q.w)), translation)


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
    try:
        return Placement(parent, child, matrix_of(item.transform))
    except MonodepthError as error:
        raise TransformMessageError(f"{what}: {error}") from None
