# SPDX-License-Identifier: Apache-2.0
"""Makes exact_tracks.py, and the corridor of the odometry's tests, importable for the tests of this folder."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "odometry")]
