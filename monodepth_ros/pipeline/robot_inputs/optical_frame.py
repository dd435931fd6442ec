# SPDX-License-Identifier: Apache-2.0
"""Whether a camera's frame has the axes of an image: x right, y down, z ahead (REP-103)."""

import numpy as np

from monodepth_ros.data.bags.static_transforms import ROBOT_BASES

# Other names of frames that stand upright by REP-103. Frames of IMUs have the axes of their makers.
UPRIGHT_NAMES, UPRIGHT_END, ANY_AXES = ("base", "chassis", "base_stabilized"), "_link", ("imu", "optical")
# A z axis closer to the vertical than this points at the sky, or belongs to a body frame [cosine].
UPRIGHT = 0.7


def axes_problem(camera_frame: str, base_frame: str, T_base_camera: np.ndarray) -> str:
    """The reason to doubt that the images' frame is an optical one, or an empty string.

    Simulators and some drivers stamp images with the camera's link, whose z axis looks up, where an optical frame's
    looks ahead. Only the base of a robot and links, by their names, are known to stand upright. T_base_camera: (4, 4).
    """
    is_upright = _is_upright(base_frame.rpartition("/")[2], is_above_camera=base_frame != camera_frame)
    if not is_upright or T_base_camera[2, 2] < UPRIGHT:
        return ""
    return (
        f"the z axis of the images' frame {camera_frame!r} looks up in {base_frame!r}: unless the camera looks at the"
        " sky, this is a link's frame (x ahead, z up), not an optical one (z ahead, y down), and all motion is turned;"
        " let the driver name an optical frame, of roll -90, pitch 0 and yaw -90 degrees below the link"
    )


def _is_upright(name: str, is_above_camera: bool) -> bool:
    if name in ROBOT_BASES:
        return True
    is_link = name in UPRIGHT_NAMES or name.endswith(UPRIGHT_END)
    return is_above_camera and is_link and not any(word in name for word in ANY_AXES)
