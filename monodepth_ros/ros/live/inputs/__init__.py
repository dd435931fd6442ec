# SPDX-License-Identifier: Apache-2.0
"""What the depth node receives: the choice of topics, images, calibrations, gyro and odometry."""
