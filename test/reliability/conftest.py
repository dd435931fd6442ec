# SPDX-License-Identifier: Apache-2.0
"""Short runs of scripts/soak and scripts/fuzz, and their modules for tests of what they judge."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run_module():
    """A function that runs a module of reliability/ as its script does, and returns the finished process."""
    # The checkout comes last on the path, for reliability/ and bench/ alone: the package is the installed one.
    path = os.pathsep.join((*filter(None, [os.environ.get("PYTHONPATH")]), str(ROOT)))
    environment = {**os.environ, "PYTHONPATH": path}

    def run(*words):
        command = [sys.executable, "-m", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)

    return run


@pytest.fixture
def checkout(monkeypatch):
    """The checkout's folders at the end of the module path."""
    monkeypatch.syspath_prepend(str(ROOT))
    # Behind everything else: `monodepth_ros` stays the installed one.
    sys.path.append(sys.path.pop(sys.path.index(str(ROOT))))
