# SPDX-License-Identifier: Apache-2.0
"""Which frames may lie on the ground, and how a camera stands in one."""

import numpy as np

from monodepth_ros.odometry.scale.config import ScaleConfig
from monodepth_ros.odometry.scale.source import CameraMount

# By REP-120 the first lies on the ground; many robots have only the second.
USUAL_FRAMES = ("base_footprint", "base_link")


def ground_frames(settings: ScaleConfig) -> tuple[str, ...]:
    """The frames to ask for, the first that is known counts; none where the settings have no use for them."""
    if settings.source not in ("auto", "camera_height"):
        return ()
    if settings.ground_frame:
        return (settings.ground_frame,)
    return USUAL_FRAMES if settings.source == "camera_height" else ()


def mount_in(T_ground_camera: np.ndarray) -> CameraMount:
    """The mount of a camera by its place (4, 4), optical axes, in a frame on the ground with z up."""
    return CameraMount(max(0.0, float(T_ground_camera[2, 3])), T_ground_camera[2, :3].copy())
