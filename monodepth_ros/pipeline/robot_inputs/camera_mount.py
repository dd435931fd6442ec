# SPDX-License-Identifier: Apache-2.0
"""Height and tilt of a camera above the ground, from transforms."""

from collections.abc import Callable

import numpy as np

from monodepth_ros.errors import MonodepthError
from monodepth_ros.limits import LARGEST_HEIGHT
from monodepth_ros.odometry.scale.config import ScaleConfig
from monodepth_ros.odometry.scale.source import CameraMount

# By REP-120 the first lies on the ground; many robots have only the second.
USUAL_FRAMES = ("base_footprint", "base_link")


class MountError(MonodepthError):
    """A place that no camera has."""


def ground_frames(settings: ScaleConfig) -> tuple[str, ...]:
    """Frames that may lie on the ground, in order of preference; empty if the settings need none."""
    if settings.source not in ("auto", "camera_height"):
        return ()
    if settings.ground_frame:
        return (settings.ground_frame,)
    return USUAL_FRAMES if settings.source == "camera_height" else ()


def find_mount(frames: tuple[str, ...], T_frame_camera: Callable[[str], np.ndarray]) -> tuple[str, CameraMount] | None:
    """The first of the frames that is connected with the camera, and the camera's mount above it; None without one.

    T_frame_camera: (4, 4) pose of the camera, optical axes, in a frame; it raises a MonodepthError if there is none.
    Raises MountError for a height that no camera has.
    """
    for frame in frames:
        try:
            T_ground_camera = T_frame_camera(frame)
        except MonodepthError:
            continue
        height = T_ground_camera[2, 3]
        if abs(height) > LARGEST_HEIGHT:
            raise MountError(f"TF places the camera {height:.3g} m above {frame!r}, expected 0 to {LARGEST_HEIGHT:g} m")
        return frame, mount_in(T_ground_camera)
    return None


def mount_in(T_ground_camera: np.ndarray) -> CameraMount:
    """The mount of a camera with this pose (4, 4), optical axes, in a frame on the ground with z up."""
    return CameraMount(max(0.0, float(T_ground_camera[2, 3])), T_ground_camera[2, :3].copy())
