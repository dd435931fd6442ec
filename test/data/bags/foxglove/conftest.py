# SPDX-License-Identifier: Apache-2.0
"""Lets the tests of this folder import what they share (foxglove_messages.py, and small_sources.py above)."""

import sys
from pathlib import Path

for folder in (Path(__file__).parent, Path(__file__).parent.parent):
    sys.path.insert(0, str(folder))
