# SPDX-License-Identifier: Apache-2.0
"""Runs of scripts/bench that take seconds, thanks to small networks and images."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TINY = ["--size", "64x32", "--input", "160x96", "--images", "procedural", "--warm-up", "10", "--frames", "40"]


@pytest.fixture
def run_bench():
    """A function that runs `scripts/bench <words>` and returns the finished process."""
    # The checkout comes last on the path, for bench/ alone: the package is the installed one.
    path = os.pathsep.join((*filter(None, [os.environ.get("PYTHONPATH")]), str(ROOT)))
    environment = {**os.environ, "PYTHONPATH": path}

    def run(*words):
        command = [sys.executable, "-m", "bench", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200)

    return run


@pytest.fixture
def run_live(run_bench, tmp_path):
    """A function that runs a small `scripts/bench live`: its figures, its output, and the file of the figures."""

    def run(*words):
        network = ("--network", "rt_monodepth_s", *TINY)
        process = run_bench("live", *network, "--results", str(tmp_path), *words)
        assert process.returncode == 0, f"{process.stdout}\n{process.stderr}"
        (result,) = tmp_path.glob("live_*.json")
        return json.loads(result.read_text()), process.stdout, result

    return run
