# SPDX-License-Identifier: Apache-2.0
"""Frames from wherever they are kept: bags, image folders, KITTI, videos, cameras; one reader per file."""
