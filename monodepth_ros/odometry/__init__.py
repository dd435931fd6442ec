# SPDX-License-Identifier: Apache-2.0
"""Visual odometry: relative motions, their checks and scale, and the trajectory they add up to."""
