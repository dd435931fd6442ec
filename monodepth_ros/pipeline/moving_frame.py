# SPDX-License-Identifier: Apache-2.0
"""The moving frame of the odometry: the camera's own, or the robot's base that the camera is mounted on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from monodepth_ros.data.bags.static_transforms import StaticTransformError, StaticTransforms
from monodepth_ros.geometry.motion import R_BODY_OPTICAL, invert, make_transform
from monodepth_ros.odometry.base_frame import BaseOdometry, express_in_base, extrinsic_for
from monodepth_ros.odometry.visual_odometry import OdometryEstimate
from monodepth_ros.pipeline.base_choice import AUTO, Parent, choose_base
from monodepth_ros.pipeline.robot_inputs.optical_frame import axes_problem
from monodepth_ros.settings.schema import ConfigError, setting


@dataclass(frozen=True)
class MovingFrameConfig:
    """Frames of the odometry, and publication of the transform between them."""

    odom_frame: str = setting(
        "odom",
        "Fixed frame of the odometry. Change it if another node publishes an odom frame already.",
    )
    base_frame: str = setting(
        AUTO,
        "Moving frame of the odometry. auto: the root of the frames that carry the camera in TF, such as base_link or "
        "the camera driver's camera_link; without any, the camera's optical frame. A name: that frame, which TF must "
        "connect with the camera. Empty: the camera's optical frame.",
    )
    publish_tf: bool = setting(
        True,
        "Publish odom_frame -> base_frame on /tf, if lengths are metres. Disable it if another node, such as a state "
        "estimator that fuses this odometry, publishes that transform.",
        live=True,
    )
    invert_odom_tf: bool = setting(
        False,
        "Publish the inverse, base_frame -> odom_frame. Enable it if base_frame has another parent in the TF tree.",
        live=True,
    )

    def __post_init__(self) -> None:
        if not self.odom_frame:
            raise ConfigError("odom_frame is '': it must be a frame's name, odom by convention")
        if self.base_frame == self.odom_frame:
            raise ConfigError(f"base_frame is {self.base_frame!r}: it must be another frame than odom_frame")


# Pose of a camera without a base at the start of its trajectory: odom is x forward, y left, z up there.
T_ODOM_START = make_transform(R_BODY_OPTICAL, np.zeros(3))
T_ODOM_START.setflags(write=False)


def odometry_link(config: MovingFrameConfig, frame: str) -> tuple[str, str]:
    """Parent and child of the odometry's transform for the moving frame."""
    return (frame, config.odom_frame) if config.invert_odom_tf else (config.odom_frame, frame)


def second_parent(config: MovingFrameConfig, frame: str, parent: str, by: str = "") -> str:
    """The reason against publishing the odometry's transform for the moving frame, or an empty string.

    A frame has one parent in the TF tree; parent: the one that the child of this transform has already, or an empty
    string; by: who publishes that, in words.
    """
    own, child = odometry_link(config, frame)
    if parent in ("", own):
        return ""
    return (
        f"{_withheld(own, child)}, which would be a second parent: {child!r} has the parent {parent!r} already; "
        f"{_remedy(config)}{by and f' ({parent!r} is published {by})'}"
    )


def rival(config: MovingFrameConfig, frame: str, by: str = "") -> str:
    """The reason against publishing the odometry's transform if another node does; by: who, in words."""
    own, child = odometry_link(config, frame)
    remedy = "odom_frame to another name" + ("" if config.invert_odom_tf else " and invert_odom_tf to true")
    return (
        f"{_withheld(own, child)}: another node publishes {own!r} -> {child!r}; set publish_tf to false, or {remedy}"
        f"{by and f' (it is published {by})'}"
    )


def loop(config: MovingFrameConfig, frame: str, way: Sequence[str], by: str = "") -> str:
    """The reason against publishing the odometry's transform if its parent hangs below its child already.

    way: the frames from that parent up to the child; by: who publishes on /tf and /tf_static, in words.
    """
    own, child = odometry_link(config, frame)
    chain = " -> ".join(repr(name) for name in reversed(way))
    return (
        f"{_withheld(own, child)}, which would close a loop: {chain} is published already; {_remedy(config)}"
        f"{by and f' (published {by})'}"
    )


def _withheld(own: str, child: str) -> str:
    return f"no /tf from {own!r} to {child!r}"


def _remedy(config: MovingFrameConfig) -> str:
    if config.invert_odom_tf:
        return "set odom_frame to a name of its own, or publish_tf to false"
    return "set base_frame to the frame that should move, invert_odom_tf to true, or publish_tf to false"


def static_parents(transforms: StaticTransforms) -> Callable[[str], Parent | None]:
    """The parents of frames in static transforms, for `choose_base`."""

    def parent_of(frame: str) -> Parent | None:
        name = transforms.parent_of(frame)
        return Parent(name, is_static=True) if name else None

    return parent_of


class OdometryTransform(NamedTuple):
    """A transform of the odometry for /tf: T (4, 4) is the pose of `child` in `parent`."""

    parent: str
    child: str
    T: np.ndarray


def odometry_transform(config: MovingFrameConfig, frame: str, T_odom_frame: np.ndarray) -> OdometryTransform:
    """The transform odom_frame -> frame, or its inverse with invert_odom_tf."""
    if config.invert_odom_tf:
        return OdometryTransform(frame, config.odom_frame, invert(T_odom_frame))
    return OdometryTransform(config.odom_frame, frame, T_odom_frame)


class MovingFrame:
    """The moving frame of a recording's odometry, by its static transforms, and the estimates in that frame.

    With a base_frame that static transforms connect with the camera, or with auto and a frame above the camera, that
    base moves, and odom is its first pose. Otherwise the camera moves, and odom is x forward, y left, z up at its first
    pose; notes have the reason if a base was asked for. name: the moving frame; description: the same with the reason
    for it. may_publish_tf: odom_frame -> name is wanted, and gives no frame a second parent.
    """

    def __init__(self, config: MovingFrameConfig, camera_frame: str, transforms: StaticTransforms):
        self.notes: list[str] = []
        self.T_base_camera = np.eye(4)
        self.T_odom_start = T_ODOM_START
        choice = choose_base(config.base_frame, camera_frame, static_parents(transforms), config.odom_frame)
        if not choice.is_camera:
            try:
                self.T_odom_start = self.T_base_camera = transforms.lookup(choice.frame, camera_frame)
            except StaticTransformError as error:
                self.notes.append(f"base_frame is not used, the camera's own motion is given: {error}")
                choice = choose_base("", camera_frame, static_parents(transforms), config.odom_frame)
        self.name, self.description = choice.frame, choice.description
        self.notes += filter(None, [axes_problem(camera_frame, self.name, self.T_base_camera)])
        child = odometry_link(config, self.name)[1]
        reason = second_parent(config, self.name, transforms.parent_of(child)) if config.publish_tf else ""
        self.may_publish_tf = config.publish_tf and not reason
        if reason:
            self.notes.append(reason)

    def express(self, estimate: OdometryEstimate) -> BaseOdometry:
        """The estimate for the moving frame."""
        return express_in_base(estimate, self.T_odom_start, self.T_base_camera)

    def T_odom_camera(self, estimate: OdometryEstimate) -> np.ndarray:
        """Pose of the camera (4, 4), optical axes, in the odom frame."""
        return extrinsic_for(estimate, self.T_odom_start) @ estimate.T_start_camera
