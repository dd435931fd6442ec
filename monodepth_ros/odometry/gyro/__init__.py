# SPDX-License-Identifier: Apache-2.0
"""A gyro's rates: how far the camera has turned between two images, and what the images say of the gyro."""
