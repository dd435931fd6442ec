# SPDX-License-Identifier: Apache-2.0
"""A short drive, and the verb run over it."""

import pytest

from monodepth_ros.cli.main import main

FRAMES = 8


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    """A synthetic drive of eight frames with a mounted camera and all ground truth."""
    path = tmp_path_factory.mktemp("drive") / "drive.mcap"
    options = ["--seconds", str(FRAMES / 10), "--width", "320", "--height", "96", "--distortion", "plumb_bob"]
    assert main(["synth", "--out", str(path), *options]) == 0
    return path


@pytest.fixture
def run(tmp_path, capfd):
    """Run the verb; returns the exit code, the output and the folder of results."""

    def run(source, *options):
        capfd.readouterr()
        exact = ["--set", "engine=pytorch", "--set", "precision=fp32"]
        code = main(["run", str(source), "--results", str(tmp_path / "results"), *exact, *options])
        return code, capfd.readouterr(), tmp_path / "results" / "latest"

    return run
