# SPDX-License-Identifier: Apache-2.0
"""The error of everything that reads or writes recordings."""

from monodepth_ros.errors import MonodepthError

EXPECTED = "expected a rosbag2 folder, an .mcap or .db3 file, or a ROS 1 .bag"


class RecordingError(MonodepthError):
    """A recording that is missing, damaged or foreign, or lacks a requested topic."""
