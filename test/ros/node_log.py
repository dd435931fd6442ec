# SPDX-License-Identifier: Apache-2.0
"""The log of a node under test."""

import time

import pytest


def log_lines(capfd, *words):
    """The node's log lines since the last call that have all these words."""
    lines = capfd.readouterr().err.splitlines()
    return [line for line in lines if "[depth_node]" in line and all(word in line for word in words)]


def wait_for_lines(capfd, *words, timeout=20.0):
    """Wait for such lines.

    Reads rarely: capfd empties its file after reading it, and loses what another thread writes in between.
    """
    deadline, text = time.monotonic() + timeout, ""
    while time.monotonic() < deadline:
        time.sleep(0.25)
        text += capfd.readouterr().err
        lines = [line for line in text.splitlines() if "[depth_node]" in line and all(word in line for word in words)]
        if lines:
            return lines
    pytest.fail(f"no line with {words} in {text}")
