# SPDX-License-Identifier: Apache-2.0
"""A short stereo drive to extract."""

import pytest

from monodepth_ros.cli.main import main as monodepth


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    """A stereo drive through a distorted lens, with exact depth and poses."""
    path = tmp_path_factory.mktemp("drive") / "drive.mcap"
    words = [
        "--seconds",
        "2",
        "--width",
        "160",
        "--height",
        "64",
        "--seed",
        "5",
        "--stereo",
        "--distortion",
        "plumb_bob",
    ]
    assert monodepth(["synth", "--out", str(path), *words, "--constant-light"]) == 0
    return path
