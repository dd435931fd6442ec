# SPDX-License-Identifier: Apache-2.0
"""Formats of calibration files, one per module; `formats.py` lists them, and `data.calibration` reads a file."""
