# SPDX-License-Identifier: Apache-2.0
"""Which motions between two frames are believed."""

import numpy as np

from monodepth_ros.geometry.motion import rotation_to_axis_angle


def implausible(T_previous_current: np.ndarray, seconds: float, max_speed: float, max_turn_rate: float) -> str:
    """Why a motion over a time is not to be believed, or an empty string.

    T_previous_current: (4, 4), metres; max_speed in m/s (infinity where lengths are not metres); max_turn_rate in rad/s.
    """
    if not np.isfinite(T_previous_current).all():
        return "a motion that is not finite"
    speed = float(np.linalg.norm(T_previous_current[:3, 3])) / seconds
    if speed > max_speed:
        return f"motion of {speed:.1f} m/s is faster than odometry.max_speed {max_speed:g}"
    turn_rate = float(np.linalg.norm(rotation_to_axis_angle(T_previous_current[:3, :3]))) / seconds
    if turn_rate > max_turn_rate:
        return f"rotation of {turn_rate:.2f} rad/s is faster than odometry.max_turn_rate {max_turn_rate:g}"
    return ""
