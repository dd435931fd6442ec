# SPDX-License-Identifier: Apache-2.0
"""What the robot adds to the images: wheel odometry, an IMU, the mount of the camera."""
