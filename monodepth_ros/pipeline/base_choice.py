# SPDX-License-Identifier: Apache-2.0
"""The moving frame of the odometry: the one that the user names, or the root of the frames that carry the camera."""

from collections.abc import Callable
from typing import NamedTuple

from monodepth_ros.data.bags.static_transforms import FIXED_FRAMES, ROBOT_BASES, ends_in

# Value of base_frame that asks for this choice.
AUTO = "auto"


class Parent(NamedTuple):
    """The frame above a frame in TF. is_static: by a transform on /tf_static."""

    name: str
    is_static: bool


class BaseChoice(NamedTuple):
    """The moving frame for a camera.

    description: the frame with the reason for it, in plain words. is_certain: it is stated by the user, or holds the
    base of a robot; otherwise more of the tree may still be on its way.
    """

    frame: str
    camera: str
    description: str
    is_certain: bool

    @property
    def is_camera(self) -> bool:
        """Whether the camera itself is the moving frame."""
        return self.frame == self.camera


def choose_base(base_frame: str, camera: str, parent_of: Callable[[str], Parent | None], odom_frame: str) -> BaseChoice:
    """The frame that odometry moves for a camera whose images have the frame `camera`.

    base_frame: the setting; a frame, empty for the camera, or AUTO. parent_of: the parent of a frame in TF, None if it
    has none.

    AUTO goes up from the camera through static transforms to their root. A moving joint (a parent on /tf) is passed
    only if the base of a robot is above it, since otherwise that parent may be another node's odometry. A frame that is
    fixed in the world does not move with the camera, and is never chosen.
    """
    camera, base_frame = camera.lstrip("/"), base_frame.lstrip("/")
    if base_frame in ("", camera):
        return BaseChoice(
            camera, camera, f"{camera or 'a camera without frame_id'} (the camera itself)", is_certain=True
        )
    if base_frame != AUTO:
        return BaseChoice(base_frame, camera, base_frame, is_certain=True)
    chain, links = [camera], []
    while (parent := parent_of(chain[-1])) is not None:
        name = parent.name.lstrip("/")
        if name in chain or name == odom_frame or ends_in(name, FIXED_FRAMES):
            break
        chain.append(name)
        links.append(parent.is_static)
    robot = max((i for i, name in enumerate(chain) if ends_in(name, ROBOT_BASES)), default=0)
    top = robot
    while top < len(links) and links[top]:
        top += 1
    frame, is_robot = chain[top], ends_in(chain[robot], ROBOT_BASES)
    reason = f"the root of the frames above {camera}" if top else "the camera itself: no transform places it on a base"
    return BaseChoice(frame, camera, f"{frame or 'a camera without frame_id'} ({reason})", is_certain=is_robot)
