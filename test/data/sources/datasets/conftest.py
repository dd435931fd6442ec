# SPDX-License-Identifier: Apache-2.0
"""Lets the tests of this folder import what they share (../small_sources.py, small_data_sets.py)."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
