# SPDX-License-Identifier: Apache-2.0
"""The camera's pose on the robot as people measure it, and the static transform that states it."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from monodepth_ros.errors import MonodepthError
from monodepth_ros.geometry.motion import R_BODY_OPTICAL, axis_angle_to_rotation, make_transform
from monodepth_ros.pipeline.base_choice import AUTO, Parent, choose_base

FORM = "x,y,z,roll,pitch,yaw [m, rad]"


class StatedPose(NamedTuple):
    """Pose T_base_body (4, 4) of a camera's body (x ahead, y left, z up); camera: its name, or empty."""

    camera: str
    T_base_body: np.ndarray


class PlacedFrame(NamedTuple):
    """The static transform base -> frame for a stated pose, T_base_frame (4, 4)."""

    frame: str
    T_base_frame: np.ndarray


def parse_pose(text: str) -> StatedPose:
    """The pose in "x,y,z,roll,pitch,yaw" or "camera=x,y,z,roll,pitch,yaw"; MonodepthError for anything else.

    The angles are URDF's: rotations about the fixed axes x, y and z of the base, in this order.
    """
    camera, _, numbers = text.rpartition("=")
    try:
        values = [float(word) for word in numbers.split(",")]
    except ValueError:
        values = []
    if len(values) != 6 or not all(map(math.isfinite, values)):
        raise MonodepthError(f"camera pose {text!r}: expected {FORM}, such as 0.2,0,0.9,0,0.1,0")
    roll, pitch, yaw = (axis_angle_to_rotation(axis * angle) for axis, angle in zip(np.eye(3), values[3:]))
    return StatedPose(camera.strip(), make_transform(yaw @ pitch @ roll, values[:3]))


def placed_frame(
    T_base_body: np.ndarray, base: str, camera: str, parent_of: Callable[[str], Parent | None]
) -> PlacedFrame | None:
    """The transform that puts a camera, whose images have the frame `camera`, at its pose on the base.

    The root of the camera driver's tree is its body. A camera without a tree is placed itself, in optical axes. None if
    TF connects the camera with the base already.
    """
    camera, above = camera.lstrip("/"), parent_of(camera)
    seen = {camera}
    while above is not None and above.name not in seen:
        if above.name == base:
            return None
        seen.add(above.name)
        above = parent_of(above.name)
    root = choose_base(AUTO, camera, parent_of, odom_frame="odom")
    if root.is_camera:
        return PlacedFrame(camera, T_base_body @ make_transform(R_BODY_OPTICAL, np.zeros(3)))
    return PlacedFrame(root.frame, T_base_body)
