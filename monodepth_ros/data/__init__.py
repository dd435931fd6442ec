# SPDX-License-Identifier: Apache-2.0
"""Recordings, calibration files, and encodings of images and depth."""
