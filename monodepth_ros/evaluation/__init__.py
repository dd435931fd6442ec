# SPDX-License-Identifier: Apache-2.0
"""Depth and trajectory metrics."""
