# SPDX-License-Identifier: Apache-2.0
"""The gyro of sensor_msgs/Imu messages, live or recorded."""

from typing import Any

import numpy as np

from monodepth_ros.odometry.gyro.gyro import Gyro
from monodepth_ros.stamps import nanoseconds

TYPE = "sensor_msgs/msg/Imu"


def add_rate(gyro: Gyro, message: Any, R_camera_imu: np.ndarray) -> str:
    """Add the rate of a sensor_msgs/Imu to a gyro, in the camera's axes; why that is impossible, or an empty string.

    R_camera_imu: (3, 3) from the axes of the message's frame to the camera's.
    """
    rate = message.angular_velocity
    rate = np.array((rate.x, rate.y, rate.z))
    if not np.isfinite(rate).all():
        return "rates that are not finite are skipped"
    gyro.add(nanoseconds(message.header.stamp), R_camera_imu @ rate)
    return ""
