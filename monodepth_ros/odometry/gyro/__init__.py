# SPDX-License-Identifier: Apache-2.0
"""Rotation of the camera by a gyro, whose bias and time offset are estimated from images."""
