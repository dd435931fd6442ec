# SPDX-License-Identifier: Apache-2.0
"""Recordings, calibration files, and the encodings of images and depth."""
