# SPDX-License-Identifier: Apache-2.0
"""The gyro of sensor_msgs/Imu messages, live or recorded."""

from typing import Any

import numpy as np

from monodepth_ros.odometry.gyro.gyro import Gyro
from monodepth_ros.stamps import nanoseconds

TYPE = "sensor_msgs/msg/Imu"


def add_rate(gyro: Gyro, message: Any, R_camera_imu: np.ndarray) -> str:
    """Add the rate of a sensor_msgs/Imu to a gyro, in the camera's axes; why a sample is passed over, '' if none is.

    R_camera_imu: (3, 3) from the axes of the message's frame to the camera's. Covariances are not used, but for the
    mark of an IMU without gyro (-1, as sensor_msgs/Imu has it) beside rates that are all zero.
    """
    rate = message.angular_velocity
    rate = np.array((rate.x, rate.y, rate.z))
    if not rate.any() and message.angular_velocity_covariance[0] == -1:
        return "it measures no rates (angular_velocity_covariance[0] is -1): name the topic of a gyro"
    with np.errstate(all="ignore"):
        turned = R_camera_imu @ rate
    return gyro.add(nanoseconds(message.header.stamp), turned)
