# SPDX-License-Identifier: Apache-2.0
"""Whose motion the odometry tells: the camera's own, or that of the base it is mounted on."""

from dataclasses import dataclass

import numpy as np

from monodepth_ros.data.bags.static_transforms import StaticTransformError, StaticTransforms
from monodepth_ros.geometry.motion import R_BODY_OPTICAL, make_transform
from monodepth_ros.odometry.base_frame import BaseOdometry, express_in_base
from monodepth_ros.odometry.visual_odometry import OdometryEstimate
from monodepth_ros.settings.schema import ConfigError, setting


@dataclass(frozen=True)
class MovingFrameConfig:
    """Names of the odometry's frames, and how the transform between them is published."""

    odom_frame: str = setting("odom", "Frame in which the trajectory is given.")
    base_frame: str = setting(
        "",
        "Moving frame of the odometry, found from the camera through TF; empty: the camera's own optical frame.",
    )
    publish_tf: bool = setting(
        True, "Publish odom_frame -> base_frame on /tf; never done for a relative scale.", live=True
    )
    invert_odom_tf: bool = setting(
        False,
        "Publish the transform as base_frame -> odom_frame, for trees whose base has another parent.",
        live=True,
    )

    def __post_init__(self) -> None:
        if not self.odom_frame:
            raise ConfigError("odom_frame is '': it must be a frame's name, odom by convention")
        if self.base_frame == self.odom_frame:
            raise ConfigError(f"base_frame is {self.base_frame!r}: it must be another frame than odom_frame")


class MovingFrame:
    """Moves estimates from the camera to the moving frame, as the node does.

    With a base_frame that static transforms connect to the camera the base moves, and odom is where it stood
    first. Otherwise the camera moves, and odom is x forward, y left, z up where it stood first; notes say why
    if a base was asked for. name: the moving frame. may_publish_tf: whether odom_frame -> name would leave
    the tree a tree.
    """

    def __init__(self, config: MovingFrameConfig, camera_frame: str, transforms: StaticTransforms):
        self.notes: list[str] = []
        self.name = camera_frame
        self.T_base_camera = np.eye(4)
        self.T_odom_start = make_transform(R_BODY_OPTICAL, np.zeros(3))
        if config.base_frame:
            try:
                self.T_base_camera = transforms.lookup(config.base_frame, camera_frame)
                self.T_odom_start = self.T_base_camera
                self.name = config.base_frame
            except StaticTransformError as error:
                self.notes.append(f"base_frame is not used, the camera's own motion is given: {error}")
        has_base = self.name == config.base_frame
        # A camera that is mounted on something must not get a second parent.
        parent = "" if has_base or config.invert_odom_tf else transforms.parent_of(self.name)
        self.may_publish_tf = config.publish_tf and parent in ("", config.odom_frame)
        if config.publish_tf and not self.may_publish_tf:
            self.notes.append(
                f"no /tf from {config.odom_frame!r}: {self.name!r} has the parent {parent!r} already; "
                "set base_frame to the robot's base (or publish_tf to false)"
            )

    def express(self, estimate: OdometryEstimate) -> BaseOdometry:
        """The estimate for the moving frame."""
        return express_in_base(estimate, self.T_odom_start, self.T_base_camera)

    def T_odom_camera(self, estimate: OdometryEstimate) -> np.ndarray:
        """Where the camera is (4, 4), optical axes, in the odom frame."""
        return self.T_odom_start @ estimate.T_start_camera
