# SPDX-License-Identifier: Apache-2.0
"""Depth and pose networks, and the reading and writing of their checkpoints."""
