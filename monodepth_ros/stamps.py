# SPDX-License-Identifier: Apache-2.0
"""Message stamps as whole nanoseconds."""

from typing import Protocol


class Stamp(Protocol):
    """builtin_interfaces/Time, as in rclpy and rosbags."""

    sec: int
    nanosec: int


def nanoseconds(stamp: Stamp) -> int:
    """The stamp in nanoseconds since the epoch; 0 for a message without a time."""
    return stamp.sec * 1_000_000_000 + stamp.nanosec
