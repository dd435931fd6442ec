# SPDX-License-Identifier: Apache-2.0
"""ROS parameters declared from the configuration dataclass."""
