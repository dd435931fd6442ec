# SPDX-License-Identifier: Apache-2.0
"""Extraction of a recording into a folder in KITTI's layout."""
