# SPDX-License-Identifier: Apache-2.0
"""Inputs from the robot besides images, live or recorded: wheel odometry, an IMU, the mount of the camera."""
