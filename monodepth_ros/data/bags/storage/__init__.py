# SPDX-License-Identifier: Apache-2.0
"""Storage files of recordings: MCAP, sqlite3 and ROS 1 bags, whole or not, each read for what it holds itself."""
