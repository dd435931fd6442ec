# SPDX-License-Identifier: Apache-2.0
"""A short drive to train on; lets the tests of this folder import what they share (small_training.py)."""

import sys
from pathlib import Path

import pytest

from monodepth_ros.cli.main import main as monodepth

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    path = tmp_path_factory.mktemp("drive") / "drive.mcap"
    words = ["synth", "--out", str(path), "--seconds", "2", "--width", "96", "--height", "32", "--seed", "5"]
    assert monodepth(words) == 0
    return path
