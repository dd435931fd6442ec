# SPDX-License-Identifier: Apache-2.0
"""Sources of frames: bags, image folders, KITTI, videos and cameras, one reader per file."""
