# SPDX-License-Identifier: Apache-2.0
"""Limits of speed and turn rate that a motion between two frames must keep."""

import numpy as np

from monodepth_ros.geometry.motion import rotation_to_axis_angle
from monodepth_ros.odometry.config import OdometryConfig


def reason_against_motion(
    T_previous_current: np.ndarray, seconds: float, config: OdometryConfig, is_metric: bool = True
) -> str:
    """Reason to refuse a motion (4, 4) that took `seconds`, or an empty string.

    config: its max_speed and max_turn_rate apply. is_metric: the translation is in metres; otherwise speed has no
    limit.
    """
    if not np.isfinite(T_previous_current).all():
        return "a motion that is not finite"
    speed = float(np.linalg.norm(T_previous_current[:3, 3])) / seconds
    if is_metric and speed > config.max_speed:
        return f"motion of {speed:.1f} m/s is faster than odometry.max_speed {config.max_speed:g}"
    turn_rate = float(np.linalg.norm(rotation_to_axis_angle(T_previous_current[:3, :3]))) / seconds
    if turn_rate > config.max_turn_rate:
        return f"rotation of {turn_rate:.2f} rad/s is faster than odometry.max_turn_rate {config.max_turn_rate:g}"
    return ""
