# SPDX-License-Identifier: Apache-2.0
"""Depth and pose networks, one idea per file, and their checkpoints."""
