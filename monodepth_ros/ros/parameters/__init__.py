# SPDX-License-Identifier: Apache-2.0
"""ROS parameters from the configuration dataclass: declaration, checks, documentation."""
